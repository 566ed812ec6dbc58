/**
 * `run-ts test/bench/gradient-pass.ts NETWORK THREADS RUNS`: the scores |w·∂L/∂w| of a network of full size, reduced in
 * the engine, against a plain forward pass of ONNX Runtime. A process of its own, so that its peak memory is that of
 * this work. Prints JSON.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { withModel } from "../../server/src/analysis/open-model.js";
import { Sensitivity } from "../../server/src/autodiff/sensitivity.js";
import type { Dataset } from "../../server/src/data/dataset.js";
import { openSession } from "../../server/src/runtime/session.js";
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
  const result = what === "forward" ? await forward() : await gradients();
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

async function gradients(): Promise<{ seconds: number; build: number; weights: number }> {
  return withModel(path, async (open) => {
    const stamps: number[] = [];
    const input = Object.keys(network.feeds)[0]!;
    const { data, shape } = network.feeds[input]!;
    const count = shape[0]!;
    // The same batch again and again: making up data is not what is measured.
    const dataset: Dataset = {
      kind: "synthetic",
      samples: count * (runs + 1),
      available: count * (runs + 1),
      samplesPerRun: count,
      words: "one batch",
      notes: [],
      fingerprint: "",
      labels: { values: network.labels.data, shape: network.labels.shape, label: "labels", file: "" },
      targets: [],
      shapes: () => new Map([[input, shape]]),
      batch: () =>
        Promise.resolve({
          feeds: { [input]: new ort.Tensor("float32", data, shape) },
          labels: { values: network.labels.data, shape: network.labels.shape, label: "labels", file: "" },
          targets: [],
        }),
    };
    const sensitivity = new Sensitivity({
      model: open.model,
      source: open.source,
      weights: open.search.weights,
      data: dataset,
      loss: null,
      batchNorm: "stored",
      seed: 0,
      threads,
      activationBytes: Infinity,
      progress: (_words, _done, total) => {
        // Before the first run there is no total yet: that is the time it takes to build.
        if (total > 0) stamps.push(performance.now());
      },
      checkpoint: () => Promise.resolve(),
    });
    const began = performance.now();
    await sensitivity.gradients({
      perSample: false,
      temperature: 1,
      step: (b, w, g) => {
        const score = b.op("Abs", [b.mul(w, g)]);
        return b.op("ReduceSum", [score], { keepdims: 0 });
      },
      finish: (_b, _w, mean) => mean,
    });
    const times = stamps.slice(1).map((stamp, i) => stamp - stamps[i]!);
    return {
      seconds: median(times.slice(1)) / 1000,
      build: (stamps[0]! - began) / 1000,
      weights: open.search.weights.reduce((sum, weight) => sum + weight.size, 0),
    };
  });
}
