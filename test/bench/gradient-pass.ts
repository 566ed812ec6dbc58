/**
 * `run-ts test/bench/gradient-pass.ts NETWORK THREADS RUNS`: the scores |w·∂L/∂w| of a network of full size, reduced in
 * the engine, against a plain forward pass of ONNX Runtime. A process of its own, so that its peak memory is that of
 * this work. Prints JSON.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { openSession } from "../../server/src/runtime/session.js";
import { enginePass } from "./engine-pass.js";
import { fullSize, type FullSize } from "./full-size.js";
import { median } from "./table.js";

const [name, threadWord, runWord, what] = process.argv.slice(2);
const threads = Number(threadWord);
const runs = Number(runWord);
const network = fullSize[name as FullSize]();
const folder = mkdtempSync(join(tmpdir(), "prunescope-pass-"));
const path = join(folder, "model.onnx");
writeFileSync(path, network.bytes);
try {
  const result = what === "forward" ? await forward() : await enginePass(path, network, { threads, runs });
  console.log(JSON.stringify({ ...result, peak: process.resourceUsage().maxRSS * 1024 }));
} finally {
  rmSync(folder, { recursive: true });
}

async function forward(): Promise<{ seconds: number }> {
  const session = await openSession(path, { threads, optimise: true });
  const feeds = Object.fromEntries(
    Object.entries(network.feeds).map(([input, { data, shape }]) => [input, new ort.Tensor("float32", data, shape)]),
  );
  await session.run(feeds);
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    await session.run(feeds);
    times.push(performance.now() - began);
  }
  return { seconds: median(times) / 1000 };
}
