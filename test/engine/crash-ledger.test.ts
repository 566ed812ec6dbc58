/** Laws of the ledger and of the retry after a crash, with crashes in memory and on a real engine. */
import { existsSync, rmSync, utimesSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { JobName, Jobs, ModelRef } from "../../server/protocol/requests.js";
import { CrashGuard } from "../../server/src/engine/crash-guard.js";
import { CrashLedger, crashSubject } from "../../server/src/engine/crash-ledger.js";
import { EngineCrash } from "../../server/src/engine/engine-crash.js";
import { Engines } from "../../server/src/engine/engines.js";
import type { JobRunner } from "../../server/src/engine/job-runner.js";
import { writeScript, type FakeResult, type Step } from "./fake-script.js";
import { Stage, until } from "./stage.js";

/** Ends jobs as it is told: `ok`, or the stage of a crash. */
class ScriptedRunner implements JobRunner {
  runs = 0;
  constructor(readonly script: string[]) {}

  run<J extends JobName>(_job: J, params: Jobs[J]["params"]): Promise<Jobs[J]["result"]> {
    this.runs++;
    const next = this.script.shift() ?? "ok";
    if (next === "ok") return Promise.resolve("ok" as unknown as Jobs[J]["result"]);
    const end = { code: null, signal: "SIGSEGV", fatal: null, output: "" } as const;
    return Promise.reject(new EngineCrash(next, end, { file: params.path }));
  }
}

const stage = new Stage();
let model: ModelRef;

beforeAll(() => stage.bundle({ engine: "test/engine/fake-engine.ts" }));
beforeEach(() => {
  model = writeScript(stage.folder, "model.onnx", []);
});
afterAll(async () => {
  await until("no engine is left", () => stage.processes("engine.js").length === 0);
  stage.remove();
});

function guarded(...script: string[]): { runner: ScriptedRunner; open: (retry?: boolean) => Promise<string> } {
  const runner = new ScriptedRunner(script);
  const guard = new CrashGuard(runner, new CrashLedger());
  const open = async (retry?: boolean): Promise<string> => {
    const params = { ...model, dynamicAxes: {}, ...(retry === undefined ? {} : { retry }) };
    try {
      return (await guard.run("open", params)) as unknown as string;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return error.message;
    }
  };
  return { runner, open };
}

test("a job that crashes once is tried again, and nobody notices but the log and the progress", async () => {
  const runner = new ScriptedRunner(["shapes", "ok"]);
  const log: string[] = [];
  const stages: string[] = [];
  const guard = new CrashGuard(runner, new CrashLedger(), (line) => log.push(line));
  await guard.run("open", { ...model, dynamicAxes: {} }, { onProgress: (progress) => stages.push(progress.stage) });
  expect(stages).toEqual(["Restarting the engine"]);
  expect(log).toHaveLength(1);
  expect(log[0]).toMatch(/SIGSEGV.*"shapes".*open.*model\.onnx/);
});

test("two crashes at a stage are an error, and then the file is refused without a try", async () => {
  const { runner, open } = guarded("shapes", "shapes");
  expect(await open()).toContain("crashed (signal SIGSEGV)");
  expect(runner.runs).toBe(2);
  expect(await open()).toMatch(/crashed the analysis engine twice in the stage "shapes"/);
  expect(await open(false)).toMatch(/twice/);
  expect(runner.runs).toBe(2);
});

test("a person who retries is obeyed: it may go well, or the file is refused again after two more crashes", async () => {
  const { runner, open } = guarded("shapes", "shapes", "shapes", "shapes", "shapes", "ok");
  await open();
  expect(await open(true)).toContain("SIGSEGV");
  expect(runner.runs).toBe(4);
  expect(await open()).toMatch(/twice/);
  expect(await open(true)).toBe("ok");
  expect(await open()).toBe("ok");
});

test.each([
  { change: "other content", apply: () => (model = writeScript(stage.folder, "model.onnx", [{ do: "abort" }])) },
  {
    change: "another time of modification",
    apply: () => {
      utimesSync(model.path, new Date(), new Date(1_000_000));
    },
  },
])("a refused file is tried again after a change: $change", async ({ apply }) => {
  const { open } = guarded("shapes", "shapes");
  await open();
  expect(await open()).toMatch(/twice/);
  apply();
  expect(await open()).toBe("ok");
});

test("crashes at different stages are told apart: each stage has two", async () => {
  const { runner, open } = guarded("reading", "shapes", "shapes", "ok");
  expect(await open()).toContain('"shapes"');
  expect(await open()).toContain('"shapes"');
  expect(runner.runs).toBe(3);
  expect(await open()).toMatch(/twice in the stage "shapes"/);
});

test("a job that went well clears its past, and other jobs and files keep theirs", async () => {
  const ledger = new CrashLedger();
  const guard = new CrashGuard(new ScriptedRunner(["x", "ok"]), ledger);
  await guard.run("open", { ...model, dynamicAxes: {} });
  expect(ledger.refusedFor(await crashSubject("open", model.path))).toBeNull();

  const refused = await crashSubject("analyze", model.path);
  ledger.record(refused, "forward");
  ledger.record(refused, "forward");
  expect(ledger.refusedFor(refused)).toBe("forward");
  expect(ledger.refusedFor(await crashSubject("open", model.path))).toBeNull();
  expect(ledger.refusedFor(await crashSubject("analyze", stage.path("other.onnx")))).toBeNull();
});

test("what a person starts each time is never refused", async () => {
  const runner = new ScriptedRunner(["run", "run", "run", "run"]);
  const guard = new CrashGuard(runner, new CrashLedger());
  const params = { ...model, pruned: model.path, seed: 0, dynamicAxes: {} };
  await expect(guard.run("verify", params)).rejects.toBeInstanceOf(EngineCrash);
  await expect(guard.run("verify", params)).rejects.toBeInstanceOf(EngineCrash);
  expect(runner.runs).toBe(4);
});

test("other errors are neither retried nor remembered", async () => {
  let runs = 0;
  const failing: JobRunner = {
    run: () => {
      runs++;
      return Promise.reject(new Error("malformed"));
    },
  };
  const guard = new CrashGuard(failing, new CrashLedger());
  for (let i = 0; i < 3; i++) {
    await expect(guard.run("survival", { ...model, recipe: defaultRecipe })).rejects.toThrow("malformed");
  }
  expect(runs).toBe(3);
});

test("on real engines: crash and recovery, crash and refusal, retry, changed file, and other files unharmed", async () => {
  const log: string[] = [];
  const settings = { threads: 1, memoryLimit: 0, cacheMaxSize: 0 };
  const engines = new Engines({
    entry: stage.path("engine.js"),
    storage: null,
    settings,
    log: (text) => log.push(text),
  });
  const open = async (steps: readonly Step[], retry = false): Promise<FakeResult> => {
    model = writeScript(stage.folder, "model.onnx", steps);
    utimesSync(model.path, new Date(), new Date(1_000_000)); // the same file whenever its size is the same
    return (await engines.run("open", { ...model, dynamicAxes: {}, retry })) as unknown as FakeResult;
  };
  try {
    const marker = stage.path("crashed");
    expect((await open([{ do: "crash-once", marker }])).threads).toBe(1);
    rmSync(marker);

    const deadly: Step[] = [
      { do: "trace", file: stage.path("trace"), line: "run" },
      { do: "signal", signal: "SIGSEGV" },
    ];
    await expect(open(deadly)).rejects.toThrow("signal SIGSEGV");
    rmSync(stage.path("trace"));
    await expect(open(deadly)).rejects.toThrow("twice");
    expect(existsSync(stage.path("trace"))).toBe(false);
    await expect(open(deadly, true)).rejects.toThrow("signal SIGSEGV");
    expect(existsSync(stage.path("trace"))).toBe(true);

    const other = { ...writeScript(stage.folder, "other.onnx", []), dynamicAxes: {} };
    expect(await engines.run("open", other)).toMatchObject({ threads: 1 });
    expect((await open([])).threads).toBe(1);
    expect(log.filter((line) => line.includes("attempt"))).toHaveLength(5);
  } finally {
    engines.dispose();
  }
});
