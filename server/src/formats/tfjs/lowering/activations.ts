/** Activations by the names that Keras and TensorFlow's fused operators give them. */
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { Json } from "../document.js";
import type { Lowered } from "./lowered.js";
import type { Lowering, Words } from "./lowering.js";

type Activation = (lowering: Lowering, x: Lowered) => Lowered;
const unary =
  (op: string, words: Words = {}): Activation =>
  (lowering, x) =>
    lowering.unary(op, x, words);
const overChannels =
  (op: string): Activation =>
  (lowering, x) =>
    lowering.unary(op, x, { axis: lowering.axis(x, -1) });

/** By the name in small letters, without underscores. */
const activations: Readonly<Record<string, Activation>> = {
  elu: unary("Elu"),
  gelu: unary("Gelu"),
  gelunew: unary("Gelu", { approximate: "tanh" }),
  hardsigmoid: unary("HardSigmoid", { alpha: { float: 0.2 }, beta: { float: 0.5 } }),
  linear: (_, x) => x,
  logsoftmax: overChannels("LogSoftmax"),
  // In operators that have derivatives here, as are softsign and swish.
  mish: (lowering, x) => ({
    ...x,
    value: lowering.op("Mul", [x.value, lowering.op("Tanh", [lowering.op("Softplus", [x.value])])]),
  }),
  relu: unary("Relu"),
  relu6: (lowering, x) => clip(lowering, x, 0, 6),
  selu: unary("Selu"),
  sigmoid: unary("Sigmoid"),
  softmax: overChannels("Softmax"),
  softplus: unary("Softplus"),
  softsign: (lowering, x) => {
    const below = lowering.op("Add", [lowering.op("Abs", [x.value]), lowering.scalar(1)]);
    return { ...x, value: lowering.op("Div", [x.value, below]) };
  },
  swish: (lowering, x) => ({ ...x, value: lowering.op("Mul", [x.value, lowering.op("Sigmoid", [x.value])]) }),
  tanh: unary("Tanh"),
};

/** Elements within two bounds. */
export const clip = (lowering: Lowering, x: Lowered, min: number, max: number): Lowered => ({
  ...x,
  value: lowering.op("Clip", [x.value, lowering.scalar(min), lowering.scalar(max)]),
});

/** Applies the activation called `name`; nothing for null. @throws PruneScopeError `unsupported-op` for an unknown one. */
export function activate(lowering: Lowering, name: Json | undefined, x: Lowered): Lowered {
  if (name === null || name === undefined) return x;
  const key = typeof name === "string" ? name.toLowerCase().replaceAll("_", "") : "";
  if (!Object.hasOwn(activations, key)) {
    throw new PruneScopeError(
      "unsupported-op",
      `"${lowering.scope}" has the unknown activation ${JSON.stringify(name)}.`,
      {
        node: lowering.scope,
      },
    );
  }
  return activations[key]!(lowering, x);
}
