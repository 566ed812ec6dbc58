import { gradientCase, type CaseInput, type GradientCase } from "./case.js";

const microsoft = { domain: "com.microsoft" } as const;
/** Around a kink at 0. */
const apart = (...shape: number[]): CaseInput => ({ shape, draw: "apart" });
/** Spread so far that both bounds of a HardSigmoid are reached, and no element lies within a step of one. */
const wide = (...shape: number[]): CaseInput => ({ shape, draw: "apart", scale: 7 });
const bound = (value: number): CaseInput => ({ shape: [], fixed: { dtype: "float", values: [value] } });
const matrix = [[4, 5]];

export const activations: readonly GradientCase[] = [
  gradientCase("LeakyRelu", "the default slope", [], { inputs: [apart(4, 5)] }),
  gradientCase("LeakyRelu", "a slope of 0.3", [], { inputs: [apart(4, 5)], attributes: { alpha: 0.3 } }),
  gradientCase("LeakyRelu", "a slope above 1", [], { inputs: [apart(4, 5)], attributes: { alpha: 1.5 } }),
  gradientCase("PRelu", "a slope for each channel", [], { inputs: [apart(2, 3, 4), { shape: [3, 1] }] }),
  gradientCase("PRelu", "one slope", [], { inputs: [apart(3, 4), { shape: [1] }] }),
  gradientCase("PRelu", "a slope for each element", [], { inputs: [apart(3, 4), { shape: [3, 4] }] }),
  gradientCase("Elu", "the default", [], { inputs: [apart(4, 5)] }),
  gradientCase("Elu", "alpha 0.5", [], { inputs: [apart(4, 5)], attributes: { alpha: 0.5 } }),
  gradientCase("Selu", "the default", [], { inputs: [apart(4, 5)] }),
  gradientCase("Selu", "alpha and gamma", [], { inputs: [apart(4, 5)], attributes: { alpha: 1.5, gamma: 1.25 } }),
  gradientCase("Sigmoid", "a matrix", matrix),
  gradientCase("Softplus", "a matrix", matrix),
  gradientCase("Softsign", "a matrix", [], { inputs: [apart(4, 5)] }),
  gradientCase("HardSigmoid", "the default", [], { inputs: [wide(5, 5)] }),
  gradientCase("HardSigmoid", "of PyTorch", [], {
    inputs: [wide(5, 5)],
    attributes: { alpha: { float: 1 / 6 }, beta: 0.5 },
  }),
  gradientCase("HardSigmoid", "a step as masks have", [], {
    inputs: [apart(5, 5)],
    attributes: { alpha: { float: 1e38 }, beta: { float: 0 } },
  }),
  gradientCase("HardSigmoid", "falling", [], { inputs: [wide(5, 5)], attributes: { alpha: -0.25, beta: 0.5 } }),
  gradientCase("HardSwish", "a matrix", [], { inputs: [wide(5, 5)] }),
  gradientCase("Tanh", "a matrix", matrix),
  gradientCase("Tanh", "a scalar", [[]]),
  gradientCase("Erf", "a matrix", matrix),
  gradientCase("Gelu", "exact", matrix, { opset: 20 }),
  gradientCase("Gelu", "by tanh", matrix, { opset: 20, attributes: { approximate: "tanh" } }),
  gradientCase("Gelu", "exact", matrix, microsoft),
  gradientCase("BiasGelu", "a bias", [[3, 4], [4]], microsoft),
  gradientCase("FastGelu", "alone", matrix, microsoft),
  gradientCase("FastGelu", "with a bias", [[3, 4], [4]], microsoft),
  gradientCase("QuickGelu", "the default", matrix, microsoft),
  gradientCase("QuickGelu", "alpha 1, which is SiLU", matrix, { ...microsoft, attributes: { alpha: { float: 1 } } }),
  gradientCase("Clip", "between two bounds", [], { inputs: [apart(4, 5), bound(-0.5), bound(0.4)] }),
  gradientCase("Clip", "from below", [], { inputs: [apart(4, 5), bound(-0.2)] }),
  gradientCase("Clip", "from below at 0", [], { inputs: [apart(4, 5), bound(0)] }),
  gradientCase("Clip", "from above", [], { inputs: [apart(4, 5), null, bound(0.3)] }),
  gradientCase("Clip", "no bounds", [], { inputs: [apart(4, 5)] }),
  gradientCase("Clip", "bounds that are learned", [], {
    inputs: [apart(4, 5), { shape: [], at: [-0.5] }, { shape: [], at: [0.4] }],
  }),
  gradientCase("Clip", "bounds as attributes", [], {
    inputs: [apart(4, 5)],
    opset: 7,
    attributes: { min: { float: 0 }, max: { float: 0.6 } },
  }),
];
