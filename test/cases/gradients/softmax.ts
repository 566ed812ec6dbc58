import { gradientCase, type GradientCase } from "./case.js";

const cases = (op: string): GradientCase[] => [
  gradientCase(op, "the last axis", [[3, 5]]),
  gradientCase(op, "the last axis of four, as attention has it", [[2, 2, 3, 4]], { attributes: { axis: 3 } }),
  gradientCase(op, "the first axis", [[4, 3]], { attributes: { axis: 0 } }),
  gradientCase(op, "an axis in the middle, counted from behind", [[2, 4, 3]], { attributes: { axis: -2 } }),
  gradientCase(op, "all axes from the second on, as of opset 12", [[2, 3, 4]], { opset: 12 }),
  gradientCase(op, "one axis of opset 11", [[3, 4]], { opset: 11, attributes: { axis: -1 } }),
];

export const softmax: readonly GradientCase[] = [...cases("Softmax"), ...cases("LogSoftmax")];
