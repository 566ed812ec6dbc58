/**
 * Every change of an operator from opset 7 to 21 that alters what a node of the older form means or how it is written.
 * Changes that only add element types, optional inputs or attributes with the old behaviour as default need no row.
 * Source: the operators' version histories in the ONNX specification (docs/Changelog.md).
 */
import { axesInput, topK } from "./axes.js";
import { clip, dropout } from "./elementwise.js";
import { batchNormOutputs, batchNormSpatial, groupNorm } from "./normalisation.js";
import { dft, scan, scatter } from "./other.js";
import { pad, slice, splitLengths, splitParts } from "./parts.js";
import type { Raise } from "./raise.js";
import { gridSample, resize10, resize13, roiAlign, upsample } from "./sampling.js";
import { softmax } from "./softmax.js";

/** Of one operator, older changes come first. */
export const changes: readonly Raise[] = Object.freeze([
  { op: "BatchNormalization", opset: 9, raise: batchNormSpatial },
  { op: "BatchNormalization", opset: 14, raise: batchNormOutputs },
  { op: "Clip", opset: 11, raise: clip },
  { op: "DFT", opset: 20, raise: dft },
  { op: "Dropout", opset: 12, raise: dropout },
  { op: "GridSample", opset: 20, raise: gridSample },
  { op: "GroupNormalization", opset: 21, raise: groupNorm },
  { op: "Hardmax", opset: 13, raise: softmax },
  { op: "LogSoftmax", opset: 13, raise: softmax },
  { op: "Pad", opset: 11, raise: pad },
  { op: "ReduceL1", opset: 18, raise: axesInput },
  { op: "ReduceL2", opset: 18, raise: axesInput },
  { op: "ReduceLogSum", opset: 18, raise: axesInput },
  { op: "ReduceLogSumExp", opset: 18, raise: axesInput },
  { op: "ReduceMax", opset: 18, raise: axesInput },
  { op: "ReduceMean", opset: 18, raise: axesInput },
  { op: "ReduceMin", opset: 18, raise: axesInput },
  { op: "ReduceProd", opset: 18, raise: axesInput },
  { op: "ReduceSum", opset: 13, raise: axesInput },
  { op: "ReduceSumSquare", opset: 18, raise: axesInput },
  { op: "Resize", opset: 11, raise: resize10 },
  { op: "Resize", opset: 13, raise: resize13 },
  { op: "RoiAlign", opset: 16, raise: roiAlign },
  { op: "Scan", opset: 9, raise: scan },
  { op: "Scatter", opset: 11, raise: scatter },
  { op: "Slice", opset: 10, raise: slice },
  { op: "Softmax", opset: 13, raise: softmax },
  { op: "Split", opset: 13, raise: splitLengths },
  { op: "Split", opset: 18, raise: splitParts },
  { op: "Squeeze", opset: 13, raise: axesInput },
  { op: "TopK", opset: 10, raise: topK },
  { op: "Unsqueeze", opset: 13, raise: axesInput },
  { op: "Upsample", opset: 10, raise: upsample },
]);
