/**
 * Where an operator has a kink, the gradient of its sum is the one that PyTorch gives (checked by its documentation and
 * source: relu, leaky_relu, prelu, elu, hardtanh, hardsigmoid, maximum, minimum, amax, amin, norm, pow, prod). Of HardSwish,
whose versions differ, it is the slope outside of the bounds.
 */
import type { AttributeValue } from "../support/models.js";

export interface Kink {
  readonly op: string;
  readonly title: string;
  /** Elements of each input; all have one axis. */
  readonly inputs: readonly (readonly number[])[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Gradient of each input; null where there is none. */
  readonly gradients: readonly (readonly number[] | null)[];
}

const third = 1 / 3;

export const kinks: readonly Kink[] = [
  { op: "Relu", title: "at 0", inputs: [[-1, 0, 2]], gradients: [[0, 0, 1]] },
  {
    op: "LeakyRelu",
    title: "at 0",
    inputs: [[-1, 0, 2]],
    attributes: { alpha: 0.25 },
    gradients: [[0.25, 0.25, 1]],
  },
  {
    op: "PRelu",
    title: "at 0",
    inputs: [
      [-1, 0, 2],
      [0.25, 0.25, 0.25],
    ],
    gradients: [
      [0.25, 0.25, 1],
      [-1, 0, 0],
    ],
  },
  { op: "Elu", title: "at 0", inputs: [[0, 2]], attributes: { alpha: 0.5 }, gradients: [[0.5, 1]] },
  { op: "Abs", title: "at 0", inputs: [[-1, 0, 2]], gradients: [[-1, 0, 1]] },
  { op: "HardSwish", title: "at both bounds", inputs: [[-4, -3, 0, 3, 4]], gradients: [[0, 0, 0.5, 1, 1]] },
  {
    op: "HardSigmoid",
    title: "at both bounds",
    inputs: [[-3, -2, 0, 2, 3]],
    attributes: { alpha: 0.25, beta: 0.5 },
    gradients: [[0, 0, 0.25, 0, 0]],
  },
  {
    op: "HardSigmoid",
    title: "as steep as a mask's",
    inputs: [[-1, 0, 1]],
    attributes: { alpha: { float: 1e38 }, beta: { float: 0 } },
    gradients: [null],
  },
  {
    op: "Max",
    title: "two equal inputs",
    inputs: [
      [1, 2, 3],
      [3, 2, 1],
    ],
    gradients: [
      [0, 0.5, 1],
      [1, 0.5, 0],
    ],
  },
  {
    op: "Min",
    title: "two equal inputs",
    inputs: [
      [1, 2, 3],
      [3, 2, 1],
    ],
    gradients: [
      [1, 0.5, 0],
      [0, 0.5, 1],
    ],
  },
  {
    op: "Max",
    title: "three inputs, all or two of them equal",
    inputs: [
      [2, 1],
      [2, 4],
      [2, 4],
    ],
    gradients: [
      [third, 0],
      [third, 0.5],
      [third, 0.5],
    ],
  },
  { op: "ReduceMax", title: "two largest", inputs: [[1, 3, 3, 0]], gradients: [[0, 0.5, 0.5, 0]] },
  { op: "ReduceMin", title: "two smallest", inputs: [[0, 3, 3, 0]], gradients: [[0.5, 0, 0, 0.5]] },
  { op: "ReduceL1", title: "a zero", inputs: [[-2, 0, 3]], gradients: [[-1, 0, 1]] },
  { op: "ReduceL2", title: "nothing but zeros", inputs: [[0, 0]], gradients: [[0, 0]] },
  { op: "ReduceProd", title: "one zero", inputs: [[0, 2, 3]], gradients: [[6, 0, 0]] },
  { op: "ReduceProd", title: "two zeros", inputs: [[0, 2, 0]], gradients: [[0, 0, 0]] },
  {
    op: "Pow",
    title: "0 to learned powers",
    inputs: [
      [0, 0, 0],
      [0, 1, 2],
    ],
    gradients: [
      [0, 1, 0],
      [0, 0, 0],
    ],
  },
];
