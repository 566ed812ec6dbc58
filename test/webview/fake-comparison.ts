/** A comparison as the host sends it: two layers, one of them pruned, figures that are easy to tell apart. */
import type { CompareReport, ComparisonState } from "../../server/protocol/compare.js";

export const comparisonReport: CompareReport = {
  original: { path: "/models/net.onnx", bytes: 4_000_000 },
  pruned: { path: "/models/net.snip-90.onnx", bytes: 4_000_200 },
  layers: [
    {
      id: "conv.weight",
      op: "Conv",
      shape: [8, 3, 3, 3],
      parameters: 216,
      zeros: { original: 0, pruned: 162 },
      unchanged: 1,
    },
    {
      id: "fc.weight",
      op: "Gemm",
      shape: [10, 8],
      parameters: 80,
      zeros: { original: 4, pruned: null },
      unchanged: null,
    },
  ],
  input: "all 64 samples of digits.npz",
  samples: 64,
  outputs: [
    {
      name: "logits",
      shape: [4, 10],
      maxDifference: 1.25,
      meanDifference: 0.125,
      cosine: 0.98764,
      argmaxAgreement: 0.953125,
      maxOriginal: 8,
    },
    {
      name: "boxes",
      shape: [4, 7],
      maxDifference: null,
      meanDifference: null,
      cosine: null,
      argmaxAgreement: null,
      maxOriginal: 300,
    },
  ],
  accuracy: { original: 0.90625, pruned: 0.890625, samples: 64 },
  latency: {
    original: { median: 12, low: 11.5, high: 12.75, runs: 40 },
    pruned: { median: 9, low: 8.5, high: 9.5, runs: 40 },
    threads: 3,
    samples: 1,
  },
  compressed: {
    original: { bytes: 4_000_000, compressed: 3_600_000 },
    pruned: { bytes: 4_000_200, compressed: 900_000 },
    seconds: 1,
  },
  notes: ["One sample serves all."],
  seconds: 12,
};

export const comparisonState: ComparisonState = {
  original: "net.onnx",
  pruned: "net.snip-90.onnx",
  report: comparisonReport,
  activity: { kind: "idle" },
};
