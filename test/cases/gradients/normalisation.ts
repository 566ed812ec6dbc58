import type { AttributeValue } from "../../support/models.js";
import { type CaseInput, gradientCase, type GradientCase } from "./case.js";

type Shape = readonly number[];
type Words = Readonly<Record<string, AttributeValue>>;

const batch = (title: string, x: Shape, attributes: Words = {}, more: Partial<GradientCase> = {}): GradientCase => {
  const channels: CaseInput = { shape: [x[1]!] };
  const inputs = [{ shape: x }, channels, channels, channels, { ...channels, draw: "positive" as const }];
  return gradientCase("BatchNormalization", title, [], { inputs, attributes, ...more });
};

const batchNormalization: readonly GradientCase[] = [
  batch("images", [3, 4, 5, 6]),
  batch("one place", [5, 4]),
  batch("1-D", [3, 4, 7]),
  batch("3-D", [2, 3, 2, 3, 2]),
  batch("epsilon", [2, 3, 4, 4], { epsilon: { float: 0.5 } }),
  batch("opset 7", [2, 3, 4, 4], {}, { opset: 7 }),
  batch("opset 9", [2, 3, 4, 4], {}, { opset: 9 }),
];

const layer = (title: string, shapes: readonly Shape[], attributes: Words = {}): GradientCase =>
  gradientCase("LayerNormalization", title, shapes, { attributes });

const layerNormalization: readonly GradientCase[] = [
  layer("last axis", [[3, 4, 6], [6], [6]]),
  layer("no bias", [[3, 4, 6], [6]]),
  layer(
    "two axes",
    [
      [3, 4, 6],
      [4, 6],
      [4, 6],
    ],
    { axis: 1 },
  ),
  layer(
    "two axes from the back",
    [
      [3, 4, 6],
      [4, 6],
      [4, 6],
    ],
    { axis: -2 },
  ),
  layer(
    "all axes",
    [
      [4, 6],
      [4, 6],
    ],
    { axis: 0 },
  ),
  layer("epsilon", [[5, 6], [6], [6]], { epsilon: { float: 0.5 } }),
  layer("broadcast scale", [[3, 4, 6], [1, 6], [6]], { axis: 1 }),
];

const perGroup = (values: readonly number[]): CaseInput => ({
  shape: [values.length],
  fixed: { dtype: "float", values },
});

const group = (title: string, x: Shape, attributes: Words, more: Partial<GradientCase> = {}): GradientCase =>
  gradientCase("GroupNormalization", title, [x, [x[1]!], [x[1]!]], { attributes, opset: 21, ...more });

const groupNormalization: readonly GradientCase[] = [
  group("two groups", [2, 6, 3, 4], { num_groups: 2 }),
  group("one group", [2, 4, 3, 3], { num_groups: 1, epsilon: { float: 0.1 } }),
  group("a group for each channel", [2, 4, 3, 3], { num_groups: 4 }),
  group("1-D", [2, 4, 5], { num_groups: 2 }),
  gradientCase("GroupNormalization", "opset 18, a scale for each group", [], {
    inputs: [{ shape: [2, 6, 3, 4] }, perGroup([1.5, -0.5]), perGroup([0, 1])],
    attributes: { num_groups: 2 },
    opset: 18,
  }),
];

const instance = (title: string, x: Shape, attributes: Words = {}): GradientCase =>
  gradientCase("InstanceNormalization", title, [x, [x[1]!], [x[1]!]], { attributes });

const instanceNormalization: readonly GradientCase[] = [
  instance("images", [2, 3, 4, 5]),
  instance("1-D, epsilon", [2, 3, 6], { epsilon: { float: 0.1 } }),
  instance("3-D", [2, 2, 3, 2, 3]),
];

export const normalisation: readonly GradientCase[] = [
  ...batchNormalization,
  ...layerNormalization,
  ...groupNormalization,
  ...instanceNormalization,
];
