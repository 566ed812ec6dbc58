/** What the benchmark times of the gradient engine: |w·∂L/∂w| of every weight, reduced to one number a layer in the engine. */
import * as ort from "onnxruntime-node";
import { withModel } from "../../server/src/analysis/open-model.js";
import { Sensitivity } from "../../server/src/autodiff/sensitivity.js";
import type { Dataset } from "../../server/src/data/dataset.js";
import type { Network } from "../support/networks/index.js";
import { median } from "./table.js";

/** One batch: what is fed to the model's only input, and its labels. */
export type Batch = Pick<Network, "feeds" | "labels">;

export interface EnginePass {
  /** Of one pass, the median. */
  readonly seconds: number;
  /** Until the first pass: graph and session. */
  readonly build: number;
  /** Elements that are scored. */
  readonly weights: number;
}

/** Times `runs` passes over the same batch of the model at `path`, after one to warm up. */
export async function enginePass(
  path: string,
  { feeds, labels }: Batch,
  { threads, runs }: { readonly threads: number; readonly runs: number },
): Promise<EnginePass> {
  return withModel(path, async (open) => {
    const stamps: number[] = [];
    const input = Object.keys(feeds)[0]!;
    const { data, shape } = feeds[input]!;
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
      labels: { values: labels.data, shape: labels.shape, label: "labels", file: "" },
      targets: [],
      shapes: () => new Map([[input, shape]]),
      batch: () =>
        Promise.resolve({
          feeds: { [input]: new ort.Tensor("float32", data, shape) },
          labels: { values: labels.data, shape: labels.shape, label: "labels", file: "" },
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
