/**
 * Nothing is lowered without being held against tfjs: every class and operator that a rule claims has a case, and what
 * real models are made of has a rule.
 */
import { describe, expect, it } from "vitest";
import { opRules } from "../../../server/src/formats/tfjs/graph-model/rules/index.js";
import { layerRules } from "../../../server/src/formats/tfjs/layers/rules/index.js";
import { layerCases } from "../../cases/tfjs/layers/index.js";
import { operatorCases } from "../../cases/tfjs/operators/index.js";

/** Layers of 30 real layers models. */
const commonLayers =
  "Activation Add AveragePooling2D BatchNormalization Concatenate Conv2D Conv2DTranspose Dense DepthwiseConv2D Dropout Embedding Flatten GRU GlobalAveragePooling2D LeakyReLU MaxPooling2D ReLU Reshape UpSampling2D ZeroPadding2D".split(
    " ",
  );

/** Operators of 48 real graph models. */
const commonOperators =
  "AddV2 ConcatV2 Conv2D DepthwiseConv2dNative FusedDepthwiseConv2dNative MaxPool Mul Pad Prelu Relu Relu6 Reshape ResizeBilinear Sigmoid StridedSlice Sub _FusedConv2D _FusedMatMul".split(
    " ",
  );

/** What has no case of its own, by why. */
const withoutCase: ReadonlySet<string> = new Set([
  // Rules that refuse: TensorFlow.js draws a size at random, or does not run them within a model.
  ...["RandomHeight", "RandomWidth", "Resizing"],
  // TensorFlow.js 4.22 runs no graph model that bears them, so that nothing can be held against it.
  ...["Assert", "BatchMatMulV3", "CheckNumerics", "Conv2dTranspose", "LogicalXor", "PreventGradient", "Rint"],
  ...["Softsign", "SpaceToDepth"],
  // They share a rule with Identity: the one fails in TensorFlow.js, the other writes its tensor to the console.
  ...["EnsureShape", "Print"],
  // Without an output.
  "NoOp",
  // Part of every case.
  ...["Const", "Placeholder"],
]);

const layers = layerRules.flatMap(({ classes }) => classes);
const operators = opRules.flatMap(({ ops }) => ops);

describe.each([
  ["layer class", layers, layerCases, commonLayers],
  ["operator", operators, operatorCases, commonOperators],
] as const)("every %s", (_, claimed, cases, common) => {
  it("has a case", () => {
    const held = new Set(cases.map(({ of }) => of));
    expect(claimed.filter((name) => !held.has(name) && !withoutCase.has(name))).toEqual([]);
  });

  it("has one rule", () => {
    expect(claimed.filter((name, i) => claimed.indexOf(name) !== i)).toEqual([]);
  });

  it("of real models has a rule", () => {
    expect(common.filter((name) => !claimed.includes(name))).toEqual([]);
  });
});
