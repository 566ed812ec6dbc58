/** The wiring of the connection, in memory: both ends in this process, and a port that the tests hold. */
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  CancellationTokenSource,
  createConnection,
  createProtocolConnection,
  ParameterStructures,
  RequestType,
  StreamMessageReader,
  StreamMessageWriter,
  type ProtocolConnection,
} from "vscode-languageserver/node";
import { PruneScopeError, errorCodes } from "../../server/protocol/errors.js";
import { jobMethod, jobNames, methods, type JobName, type Jobs } from "../../server/protocol/requests.js";
import type { RunOptions } from "../../server/src/engine/job-runner.js";
import { serve } from "../../server/src/language/connection.js";
import type { ServerPort } from "../../server/src/language/port.js";

/** Records what it is asked, and answers as a test says. */
class RecordingPort implements ServerPort {
  readonly calls: unknown[] = [];
  work: (job: JobName, options: RunOptions) => Promise<unknown> = () => Promise.resolve({});

  async run<J extends JobName>(
    job: J,
    params: Jobs[J]["params"],
    options: RunOptions = {},
  ): Promise<Jobs[J]["result"]> {
    this.calls.push([job, params]);
    return (await this.work(job, options)) as Jobs[J]["result"];
  }
  closeModel(uri: string): void {
    this.calls.push(["close", uri]);
  }
  configure(settings: unknown): void {
    this.calls.push(["configure", settings]);
  }
  dispose(): void {
    this.calls.push(["dispose"]);
  }
}

const options = { threads: 1, memoryLimit: 2, cacheMaxSize: 3, storage: "/storage" };
const model = { uri: "file:///m.onnx", path: "/m.onnx" };
const open = { ...model, dynamicAxes: {} };
let port: RecordingPort;
let started: unknown[];
let client: ProtocolConnection;

beforeEach(() => {
  port = new RecordingPort();
  started = [];
  const toServer = new PassThrough();
  const toClient = new PassThrough();
  serve(createConnection(new StreamMessageReader(toServer), new StreamMessageWriter(toClient)), (given) => {
    started.push(given);
    return port;
  });
  client = createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer));
  client.listen();
});
afterEach(() => {
  client.dispose();
});

async function initialize(initializationOptions: unknown = options): Promise<unknown> {
  return client.sendRequest("initialize", { processId: null, rootUri: null, capabilities: {}, initializationOptions });
}

test("the port is started with the client's options, once they are right", async () => {
  await expect(initialize({ ...options, threads: -1 })).rejects.toMatchObject({ data: { code: "bad-request" } });
  expect(started).toEqual([]);
  expect(await initialize()).toMatchObject({ serverInfo: { name: "PruneScope" } });
  expect(started).toEqual([options]);
});

test("every job is a request, and its result the answer", async () => {
  await initialize();
  port.work = (job) => Promise.resolve({ answer: job });
  const recipe = { criterion: "magnitude" };
  const saving = { pruned: "/p", target: "/t", seed: 0, replaceOriginal: false, metadata: true };
  const looking = { pattern: { n: 2, m: 4 }, exclude: [], latencySeconds: 1, what: "mask" };
  const others = { ...saving, ...looking, sigmaB: 0.2, stabilityRuns: 0, budget: 60 };
  for (const job of jobNames) {
    const params = { ...open, recipe, ...others };
    expect(await client.sendRequest(jobMethod(job), params)).toEqual({ answer: job });
  }
  expect(port.calls.map((call) => (call as unknown[])[0])).toEqual(jobNames);
});

test("a job before `initialize`, after `shutdown` or with wrong parameters never reaches the port", async () => {
  const asked = (params: unknown): Promise<unknown> => client.sendRequest(jobMethod("open"), params);
  await expect(asked(open)).rejects.toMatchObject({ data: { code: "bad-request" } });
  await initialize();
  await expect(asked({ ...open, path: "m" })).rejects.toMatchObject({
    code: -32602,
    message: "path must be an absolute path.",
    data: { code: "bad-request", message: "path must be an absolute path.", about: {} },
  });
  const byPosition = new RequestType<unknown, unknown, unknown>(jobMethod("open"), ParameterStructures.byPosition);
  await expect(client.sendRequest(byPosition, open)).rejects.toMatchObject({ code: -32602 });
  await expect(client.sendRequest(jobMethod("open"))).rejects.toMatchObject({ code: -32602 });
  await client.sendRequest("shutdown");
  await expect(asked(open)).rejects.toMatchObject({ data: { code: "bad-request" } });
  expect(port.calls).toEqual([["dispose"]]);
});

test.each(errorCodes)("an error %s arrives with code, message and subject", async (code) => {
  await initialize();
  const about = { file: "/m.onnx", node: "conv1", operator: "Conv", opset: 13, offset: 42 };
  port.work = () => Promise.reject(new PruneScopeError(code, "What to do.", about));
  await expect(client.sendRequest(jobMethod("open"), open)).rejects.toMatchObject({
    message: "What to do.",
    data: { code, message: "What to do.", about },
  });
});

test("an error that nobody foresaw arrives as `internal`", async () => {
  await initialize();
  port.work = () => Promise.reject(new TypeError("x is undefined"));
  await expect(client.sendRequest(jobMethod("open"), open)).rejects.toMatchObject({
    data: { code: "internal", message: "x is undefined" },
  });
});

test("progress arrives with uri and job, before the answer", async () => {
  await initialize();
  const seen: unknown[] = [];
  client.onNotification(methods.progress, (params) => {
    seen.push(params);
  });
  port.work = (_job, { onProgress }) => {
    for (let done = 0; done < 3; done++) onProgress?.({ stage: "reading", done, total: 3 });
    return Promise.resolve({});
  };
  await client.sendRequest(jobMethod("open"), open);
  expect(seen).toEqual([0, 1, 2].map((done) => ({ uri: model.uri, job: "open", stage: "reading", done, total: 3 })));
});

test("a cancelled request aborts its job, and no other", async () => {
  await initialize();
  const signals: AbortSignal[] = [];
  port.work = (_job, { signal }) =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        reject(new PruneScopeError("cancelled", "Cancelled."));
      };
      signals.push(signal!);
      if (signal!.aborted) stop();
      else signal!.addEventListener("abort", stop);
      if (signals.length === 2) setTimeout(resolve, 100, {});
    });
  const source = new CancellationTokenSource();
  const first = client.sendRequest(jobMethod("open"), open, source.token);
  const second = client.sendRequest(jobMethod("open"), open);
  source.cancel();
  await expect(first).rejects.toMatchObject({ code: -32800, data: { code: "cancelled" } });
  await expect(second).resolves.toEqual({});
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

test("close and configure reach the port; wrong ones are logged and do no harm", async () => {
  await initialize();
  const logged: unknown[] = [];
  client.onNotification("window/logMessage", (params) => {
    logged.push(params);
  });
  const settings = { threads: 4, memoryLimit: 5, cacheMaxSize: 6 };
  await client.sendNotification(methods.close, { uri: model.uri });
  await client.sendNotification(methods.close, { uri: 3 });
  await client.sendNotification(methods.configure, settings);
  await client.sendNotification(methods.configure, { threads: "many" });
  await client.sendRequest(jobMethod("open"), open);
  expect(port.calls.slice(0, 2)).toEqual([
    ["close", model.uri],
    ["configure", settings],
  ]);
  expect(port.calls).toHaveLength(3);
  expect(logged).toMatchObject([
    { message: expect.stringContaining("uri") as string },
    { message: expect.anything() as string },
  ]);
});
