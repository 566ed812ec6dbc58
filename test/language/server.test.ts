/** The real server process over its real transports, with engines whose jobs are scripted. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  CancellationTokenSource,
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type CancellationToken,
  type ProtocolConnection,
} from "vscode-languageserver/node";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import {
  jobMethod,
  methods,
  type JobName,
  type ModelRef,
  type ProgressParams,
} from "../../server/protocol/requests.js";
import { writeScript, type FakeResult, type Step } from "../engine/fake-script.js";
import { Stage, until } from "../engine/stage.js";

const stage = new Stage();
const settings = { threads: 1, memoryLimit: 0, cacheMaxSize: 0 };
let server: ChildProcessWithoutNullStreams;
let client: ProtocolConnection;
let progress: ProgressParams[];

beforeAll(() =>
  stage.bundle({
    server: "server/src/main.ts",
    engine: "test/engine/fake-engine.ts",
    client: "test/language/lonely-client.ts",
  }),
);
beforeEach(async () => {
  server = spawn(process.execPath, [stage.path("server.js"), "--stdio"]);
  client = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  client.listen();
  progress = [];
  client.onNotification(methods.progress, (params: ProgressParams) => {
    progress.push(params);
  });
  await client.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions: { ...settings, storage: stage.folder },
  });
});
afterEach(async () => {
  client.dispose();
  server.kill("SIGKILL");
  await until("all processes are gone", () => engines().length === 0 && servers().length === 0);
});
afterAll(() => {
  stage.remove();
});

const engines = (): number[] => stage.processes("engine.js");
const servers = (): number[] => stage.processes("server.js");

/** Asks for a job on a model that does `steps`. */
function ask(job: JobName, name: string, steps: readonly Step[], token?: CancellationToken): Promise<FakeResult> {
  const model: ModelRef = writeScript(stage.folder, name, steps);
  const params = { ...model, dynamicAxes: {}, recipe: defaultRecipe };
  return token === undefined
    ? client.sendRequest(jobMethod(job), params)
    : client.sendRequest(jobMethod(job), params, token);
}

const working: Step = { do: "progress", progress: { stage: "working", done: 1, total: 2 } };
const isWorking = (): boolean => progress.some((params) => params.stage === "working");

test("a job over stdio: progress, result, settings, and what the engine prints goes to the log", async () => {
  const logged: unknown[] = [];
  client.onNotification("window/logMessage", (params) => {
    logged.push(params);
  });
  const result = await ask("open", "a.onnx", [working, { do: "print", text: "a warning" }]);
  expect(result).toMatchObject({ threads: 1, storage: stage.folder });
  const { uri } = writeScript(stage.folder, "a.onnx", []);
  expect(progress).toEqual([{ uri, job: "open", stage: "working", done: 1, total: 2 }]);
  await until("the warning is logged", () => JSON.stringify(logged).includes("a warning"));
  await client.sendNotification(methods.configure, { ...settings, threads: 7 });
  expect(await ask("open", "a.onnx", [])).toMatchObject({ threads: 7, pid: result.pid });
});

test("errors arrive with their data: a job's own, a crash, a wrong request", async () => {
  const failing = ask("open", "a.onnx", [{ do: "fail", code: "unsupported-op", message: "No Foo." }]);
  await expect(failing).rejects.toMatchObject({
    message: "No Foo.",
    data: { code: "unsupported-op", message: "No Foo.", about: { node: "conv1", offset: 42 } },
  });
  const crashing = ask("open", "a.onnx", [working, { do: "abort" }]);
  await expect(crashing).rejects.toMatchObject({
    data: { code: "engine-crash", about: { file: stage.path("a.onnx") } },
  });
  expect(progress.map((params) => params.stage)).toEqual(["working", "Restarting the engine", "working"]);
  const wrong = client.sendRequest(jobMethod("open"), { uri: "file:///a", path: "a", dynamicAxes: {} });
  await expect(wrong).rejects.toMatchObject({ data: { code: "bad-request" } });
});

test("cancelling a request stops its job, and the next one works", async () => {
  const source = new CancellationTokenSource();
  const running = ask("open", "a.onnx", [working, { do: "block", ms: 60_000 }], source.token);
  await until("the job runs", isWorking);
  source.cancel();
  await expect(running).rejects.toMatchObject({ code: -32800, data: { code: "cancelled" } });
  expect(engines()).toEqual([]);
  expect(await ask("open", "a.onnx", [])).toMatchObject({ threads: 1 });
});

test("closing a model stops its jobs, waiting and running, and other models' go on", async () => {
  const running = ask("open", "a.onnx", [working, { do: "block", ms: 60_000 }]);
  await until("the job runs", isWorking);
  const waiting = ask("analyze", "a.onnx", []);
  const other = ask("open", "b.onnx", []);
  const { uri } = writeScript(stage.folder, "a.onnx", []);
  await client.sendNotification(methods.close, { uri });
  const both = await Promise.allSettled([running, waiting]);
  expect(both).toMatchObject(both.map(() => ({ status: "rejected", reason: { data: { code: "cancelled" } } })));
  expect(await other).toMatchObject({ threads: 1 });
});

test("while a heavy job burns a processor, survival and other requests are answered", async () => {
  await ask("survival", "b.onnx", []);
  const source = new CancellationTokenSource();
  let ended = false;
  const heavy = ask("analyze", "a.onnx", [working, { do: "busy", ms: 30_000 }], source.token).finally(() => {
    ended = true;
  });
  await until("the job runs", isWorking);
  const trivial: number[] = [];
  const survival: number[] = [];
  for (let i = 0; i < 40; i++) {
    const start = performance.now();
    await client.sendRequest("textDocument/hover", {}).catch(() => undefined);
    const middle = performance.now();
    await ask("survival", "b.onnx", []);
    trivial.push(middle - start);
    survival.push(performance.now() - middle);
  }
  expect(ended).toBe(false);
  const median = (times: number[]): string => times.sort((a, b) => a - b)[times.length >> 1]!.toFixed(1);
  const worst = (times: number[]): string => Math.max(...times).toFixed(1);
  console.log(`while busy: an answer of the server in ${median(trivial)} ms (worst ${worst(trivial)})`);
  console.log(`while busy: survival in ${median(survival)} ms (worst ${worst(survival)})`);
  source.cancel();
  await expect(heavy).rejects.toMatchObject({ data: { code: "cancelled" } });
});

test("shutdown and exit end the server with code 0, and its engines with it", async () => {
  const running = ask("open", "a.onnx", [working, { do: "block", ms: 60_000 }]);
  await until("the job runs", isWorking);
  const exited = once(server, "exit");
  const rejected = expect(running).rejects.toMatchObject({ data: { code: "cancelled" } });
  await client.sendRequest("shutdown");
  await rejected;
  await client.sendNotification("exit");
  expect(await exited).toEqual([0, null]);
  await until("the engines are gone", () => engines().length === 0);
});

test("a server that is killed in the middle of a run takes its engines along", async () => {
  void ask("open", "a.onnx", [working, { do: "block", ms: 60_000 }]).catch(() => undefined);
  await until("the job runs", isWorking);
  await ask("survival", "b.onnx", []);
  expect(engines()).toHaveLength(2);
  server.kill("SIGKILL");
  await until("the engines are gone", () => engines().length === 0);
});

test.each(["--node-ipc", "--stdio"])(
  "an editor that is killed takes server and engines along (%s)",
  async (transport) => {
    const leaves = stage.path("temporary");
    for (const last of [
      { do: "block", ms: 60_000 },
      { do: "checkpoints", ms: 60_000, leaves },
    ] as const) {
      const { path } = writeScript(stage.folder, "a.onnx", [working, last]);
      const editor = spawn(process.execPath, [stage.path("client.js"), transport, path]);
      await once(editor.stdout, "data");
      expect([servers().length, engines().length]).toEqual([2, 1]);
      editor.kill("SIGKILL");
      await until("only this test's server is left", () => servers().length === 1 && engines().length === 0);
      expect(existsSync(leaves)).toBe(false);
    }
  },
);
