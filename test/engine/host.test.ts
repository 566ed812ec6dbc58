/** Laws of the engine host, on real processes with fake jobs. */
import { existsSync } from "node:fs";
import { getPriority } from "node:os";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ModelRef, Progress } from "../../server/protocol/requests.js";
import { EngineHost, type EngineHostOptions } from "../../server/src/engine/host.js";
import type { JobRunner, RunOptions } from "../../server/src/engine/job-runner.js";
import { writeScript, type FakeResult, type Step } from "./fake-script.js";
import { Stage, until } from "./stage.js";

const stage = new Stage();
const settings = { threads: 3, memoryLimit: 0, cacheMaxSize: 0 };
const hosts: EngineHost[] = [];

beforeAll(() => stage.bundle({ engine: "test/engine/fake-engine.ts" }));
afterEach(async () => {
  for (const host of hosts.splice(0)) host.dispose();
  await until("no engine is left", () => stage.processes("engine.js").length === 0);
});
afterAll(() => {
  stage.remove();
});

function newHost(options: Partial<EngineHostOptions> = {}): EngineHost {
  const host = new EngineHost({ entry: stage.path("engine.js"), storage: null, settings, ...options });
  hosts.push(host);
  return host;
}

async function open(runner: JobRunner, steps: readonly Step[], options?: RunOptions): Promise<FakeResult> {
  const model: ModelRef = writeScript(stage.folder, "model.onnx", steps);
  return (await runner.run("open", { ...model, dynamicAxes: {} }, options)) as unknown as FakeResult;
}

test("a job's result arrives, and the engine stays warm for the next job", async () => {
  const host = newHost({ storage: "/somewhere" });
  const first = await open(host, []);
  expect(first).toMatchObject({ threads: 3, storage: "/somewhere" });
  host.configure({ ...settings, threads: 5 });
  expect(await open(host, [])).toMatchObject({ threads: 5, pid: first.pid });
});

test("no engine is started before the first job, and an idle one is ended", async () => {
  const host = newHost({ idleMs: 50 });
  expect(stage.processes("engine.js")).toEqual([]);
  const { pid } = await open(host, []);
  await until("the idle engine is gone", () => stage.processes("engine.js").length === 0);
  expect((await open(host, [])).pid).not.toBe(pid);
});

test("the engine inherits no debugger and nothing to preload, and gives way to the editor", async () => {
  process.env["NODE_OPTIONS"] = "--inspect=0";
  try {
    expect(await open(newHost(), [])).toMatchObject({ execArgv: [], nodeOptions: null, niceness: 10 });
  } finally {
    delete process.env["NODE_OPTIONS"];
  }
  expect(await open(newHost({ priority: "normal" }), [])).toMatchObject({ niceness: getPriority() });
});

test("progress arrives in order: every stage, and at most 20 times a second inside a stage", async () => {
  const seen: Progress[] = [];
  const stages = ["a", "b", "c", "d"].map((name) => ({ stage: name, done: 1, total: 4 }));
  const steps = stages.map((progress): Step => ({ do: "progress", progress }));
  await open(newHost(), [...steps, { do: "chatter", stage: "e", ms: 500 }], { onProgress: (p) => seen.push(p) });
  expect(seen.slice(0, 4)).toEqual(stages);
  const chatter = seen.slice(4);
  expect(new Set(chatter.map((p) => p.stage))).toEqual(new Set(["e"]));
  expect(chatter.length).toBeGreaterThan(1);
  expect(chatter.length).toBeLessThanOrEqual(11);
});

test("a job's error arrives whole, and the engine goes on", async () => {
  const host = newHost();
  const { pid } = await open(host, []);
  await expect(open(host, [{ do: "fail", code: "malformed-model", message: "Bad node." }])).rejects.toMatchObject({
    name: "PruneScopeError",
    code: "malformed-model",
    message: "Bad node.",
    about: { node: "conv1", offset: 42 },
  });
  expect((await open(host, [])).pid).toBe(pid);
});

test.each<{ name: string; steps: Step[] }>([
  { name: "a native run", steps: [{ do: "block", ms: 30_000 }] },
  { name: "a busy loop", steps: [{ do: "busy", ms: 30_000 }] },
])("an abort kills the engine in the middle of $name, and the next job gets a new one", async ({ steps }) => {
  const host = newHost();
  const { pid } = await open(host, []);
  const abort = new AbortController();
  const working: Step = { do: "progress", progress: { stage: "working", done: 0, total: 0 } };
  const running = open(host, [working, ...steps], {
    signal: abort.signal,
    onProgress: () => {
      abort.abort();
    },
  });
  const start = performance.now();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  // The job would take 30 s: the bound is far from both.
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(stage.processes("engine.js")).not.toContain(pid);
  expect((await open(host, [])).pid).not.toBe(pid);
});

test("an aborted job that reaches a checkpoint cleans up, and its engine lives on", async () => {
  const host = newHost();
  const { pid } = await open(host, []);
  const abort = new AbortController();
  const leaves = stage.path("temporary");
  const running = open(host, [{ do: "checkpoints", ms: 30_000, leaves }], { signal: abort.signal });
  await until("the job runs", () => existsSync(leaves));
  abort.abort();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(existsSync(leaves)).toBe(false);
  expect((await open(host, [])).pid).toBe(pid);
});

test("an abort before the start starts nothing", async () => {
  const running = open(newHost(), [], { signal: AbortSignal.abort() });
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(stage.processes("engine.js")).toEqual([]);
});

test.each<{ name: string; step: Step; end: object; message: string }>([
  { name: "abort()", step: { do: "abort" }, end: { signal: "SIGABRT" }, message: "signal SIGABRT" },
  {
    name: "a segmentation fault",
    step: { do: "signal", signal: "SIGSEGV" },
    end: { signal: "SIGSEGV", code: null },
    message: "signal SIGSEGV",
  },
  { name: "the system's kill", step: { do: "signal", signal: "SIGKILL" }, end: {}, message: "when memory ran out" },
  { name: "an exit", step: { do: "exit", code: 3 }, end: { signal: null, code: 3 }, message: "exit code 3" },
  {
    name: "an error that nothing catches",
    step: { do: "uncaught", message: "no such layer" },
    end: { signal: null, code: 1, fatal: "no such layer" },
    message: "no such layer",
  },
])("$name ends the job with `engine-crash` and its stage, and the next job works", async ({ step, end, message }) => {
  const host = newHost();
  const crash = open(host, [{ do: "progress", progress: { stage: "shapes", done: 0, total: 1 } }, step]);
  await expect(crash).rejects.toMatchObject({
    code: "engine-crash",
    stage: "shapes",
    end,
    about: { file: stage.path("model.onnx") },
    message: expect.stringContaining(message) as string,
  });
  await expect(crash).rejects.toThrow('stage "shapes"');
  expect((await open(host, [])).threads).toBe(3);
});

test("a crash before any progress is named after the job", async () => {
  await expect(open(newHost(), [{ do: "abort" }])).rejects.toMatchObject({ code: "engine-crash", stage: "open" });
});

test("a script that is not there is a crash, not a hang", async () => {
  await expect(open(newHost({ entry: stage.path("nowhere.js") }), [])).rejects.toMatchObject({ code: "engine-crash" });
});

test("a crash because an allocation failed is `out-of-memory`, and what the engine prints is passed on", async () => {
  let output = "";
  const text = "terminate called after throwing an instance of 'std::bad_alloc'";
  const host = newHost({ onOutput: (part) => (output += part) });
  const crash = open(host, [{ do: "print", text }, { do: "abort" }]);
  await expect(crash).rejects.toMatchObject({ code: "out-of-memory" });
  expect(output).toContain(text);
});

test("an engine above the memory limit is killed, and the message names the setting", async () => {
  const host = newHost({ settings: { ...settings, memoryLimit: 250 } });
  const greedy = open(host, [
    { do: "progress", progress: { stage: "forward", done: 0, total: 0 } },
    { do: "allocate", megabytes: 400 },
    { do: "block", ms: 30_000 },
  ]);
  await expect(greedy).rejects.toMatchObject({ code: "out-of-memory", about: { file: stage.path("model.onnx") } });
  await expect(greedy).rejects.toThrow(/"forward".*250 MB.*prunescope\.engine\.memoryLimit/);
  expect((await open(host, [{ do: "allocate", megabytes: 50 }])).threads).toBe(3);
});

test("dispose lets a job clean up", async () => {
  const host = newHost();
  const leaves = stage.path("temporary");
  const running = open(host, [{ do: "checkpoints", ms: 30_000, leaves }]);
  await until("the job runs", () => existsSync(leaves));
  host.dispose();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(existsSync(leaves)).toBe(false);
});

test("dispose ends the engine whatever it does and rejects its job, and later ones", async () => {
  const host = newHost();
  const running = open(host, [{ do: "block", ms: 30_000 }]);
  await until("the engine runs", () => stage.processes("engine.js").length === 1);
  host.dispose();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  await expect(open(host, [])).rejects.toMatchObject({ code: "cancelled" });
  await until("the engine is gone", () => stage.processes("engine.js").length === 0);
});

test("a second job before the first is settled is a defect of the caller", async () => {
  const host = newHost();
  const first = open(host, [{ do: "checkpoints", ms: 200 }]);
  await expect(open(host, [])).rejects.toThrow("one job at a time");
  await first;
});
