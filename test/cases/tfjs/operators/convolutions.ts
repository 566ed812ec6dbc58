/** Cases of convolutions in graph models. */
import { floats, weight } from "../../../support/tfjs/index.js";
import { nodeCase, type TfjsCase } from "../case.js";

const attributes = { strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" };

export const convolutions: readonly TfjsCase[] = [
  nodeCase(
    "Conv2D",
    "same",
    { x: floats([2, 5, 5, 3]) },
    [weight("w", [3, 3, 3, 4], floats([108], 2).data)],
    attributes,
  ),
];
