/**
 * `run-ts test/bench/tfjs-pass.ts WHAT THREADS RUNS`: nsfwjs' MobileNetV2 on a batch of 224x224 images: `gradients` through
 * our engine, `forward` of the lowered graph in ONNX Runtime, or `wasm`, forward in tfjs. A process of its own. Prints JSON.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import * as ort from "onnxruntime-node";
import { withRunning } from "../../server/src/analysis/run-model.js";
import { floats, folderHandler, useBackend, writeNsfwMobileNet } from "../support/tfjs/index.js";
import { enginePass } from "./engine-pass.js";
import { median } from "./table.js";

const [what, threadWord, runWord] = process.argv.slice(2);
const threads = Number(threadWord);
const runs = Number(runWord);
const batch = 8;
const input = "input_1";
const shape = [batch, 224, 224, 3];
const data = Float32Array.from(floats(shape).data);
const folder = mkdtempSync(join(tmpdir(), "prunescope-pass-"));
const path = writeNsfwMobileNet(folder);
try {
  console.log(JSON.stringify(await (what === "gradients" ? gradients() : what === "forward" ? forward() : wasm())));
} finally {
  rmSync(folder, { recursive: true });
}

function gradients(): Promise<{ seconds: number; build: number }> {
  const labels = { data: BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 5)), shape: [batch] };
  return enginePass(path, { feeds: { [input]: { data, shape } }, labels }, { threads, runs });
}

function forward(): Promise<{ seconds: number }> {
  const feeds = { [input]: new ort.Tensor("float32", data, shape) };
  return withRunning(path, threads, (running) => timed(() => running.run(feeds)));
}

/** The wasm backend has one thread in Node. */
async function wasm(): Promise<{ seconds: number }> {
  await useBackend("wasm");
  const model = await loadLayersModel(folderHandler(path));
  const images = tf.tensor(data, shape);
  return timed(() => (model.predict(images, { batchSize: batch }) as tf.Tensor).data());
}

async function timed(run: () => Promise<unknown>): Promise<{ seconds: number }> {
  await run();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return { seconds: median(times) / 1000 };
}
