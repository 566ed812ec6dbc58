/** An engine process whose jobs follow a script (`fake-script.ts`); everything else in it is the real engine's. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { PruneScopeError } from "../../server/protocol/errors.js";
import type { JobName, Jobs, ModelRef } from "../../server/protocol/requests.js";
import type { JobContext } from "../../server/src/analysis/jobs.js";
import { serveJobs, type JobTable } from "../../server/src/engine/job-loop.js";
import type { FakeResult, Step } from "./fake-script.js";

const held: Buffer[] = [];

async function follow({ path }: ModelRef, context: JobContext): Promise<FakeResult> {
  for (const step of JSON.parse(readFileSync(path, "utf8")) as Step[]) await perform(step, context);
  return {
    pid: process.pid,
    niceness: getPriority(),
    execArgv: process.execArgv,
    nodeOptions: process.env["NODE_OPTIONS"] ?? null,
    threads: context.settings.threads,
    storage: context.storage,
  };
}

async function perform(step: Step, context: JobContext): Promise<void> {
  switch (step.do) {
    case "progress":
      context.progress(step.progress);
      return;
    case "chatter":
      for (const end = performance.now() + step.ms; performance.now() < end;) {
        context.progress({ stage: step.stage, done: 0, total: 0 });
        await context.checkpoint();
      }
      return;
    case "busy":
      for (const end = performance.now() + step.ms; performance.now() < end;);
      return;
    case "block":
      block(step.ms);
      return;
    case "checkpoints":
      try {
        if (step.leaves !== undefined) writeFileSync(step.leaves, "");
        for (const end = performance.now() + step.ms; performance.now() < end;) {
          block(5);
          await context.checkpoint();
        }
      } finally {
        if (step.leaves !== undefined) rmSync(step.leaves);
      }
      return;
    case "allocate":
      held.push(Buffer.alloc(step.megabytes * 1e6, 1));
      return;
    case "fail":
      throw new PruneScopeError(step.code, step.message, { node: "conv1", offset: 42 });
    case "print":
      console.error(step.text);
      return;
    case "abort":
      process.abort();
      return;
    case "signal":
      process.kill(process.pid, step.signal);
      block(10_000);
      return;
    case "exit":
      process.exit(step.code);
      return;
    case "uncaught":
      setImmediate(() => {
        throw new Error(step.message);
      });
      await new Promise(() => undefined);
      return;
    case "crash-once":
      if (existsSync(step.marker)) return;
      writeFileSync(step.marker, "");
      process.abort();
      return;
    case "trace":
      appendFileSync(step.file, `${step.line}\n`);
      return;
  }
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The host knows nothing of results, so a fake one will do. */
async function job<J extends JobName>(params: ModelRef, context: JobContext): Promise<Jobs[J]["result"]> {
  return (await follow(params, context)) as unknown as Jobs[J]["result"];
}

const jobs: JobTable = {
  open: job<"open">,
  shapes: job<"shapes">,
  analyze: job<"analyze">,
  survival: job<"survival">,
  save: job<"save">,
  verify: job<"verify">,
  compress: job<"compress">,
  check: job<"check">,
  held: job<"held">,
  compare: job<"compare">,
  export: job<"export">,
  theory: job<"theory">,
  collapse: job<"collapse">,
  measure: job<"measure">,
  remedies: job<"remedies">,
  parity: job<"parity">,
};

serveJobs(jobs);
