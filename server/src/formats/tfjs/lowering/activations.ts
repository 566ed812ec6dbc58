/** Activations by the names that Keras and TensorFlow's fused operators give them. */
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { Json } from "../document.js";
import type { Lowered } from "./lowered.js";
import type { Lowering } from "./lowering.js";

type Activation = (lowering: Lowering, x: Lowered) => Lowered;
const unary =
  (op: string, words: Parameters<Lowering["unary"]>[2] = {}): Activation =>
  (lowering, x) =>
    lowering.unary(op, x, words);

const activations: Readonly<Record<string, Activation>> = {
  linear: (_, x) => x,
  relu: unary("Relu"),
  sigmoid: unary("Sigmoid"),
  softmax: (lowering, x) => lowering.unary("Softmax", x, { axis: lowering.axis(x, -1) }),
  tanh: unary("Tanh"),
};

/** Applies the activation called `name`; nothing for null. @throws PruneScopeError `unsupported-op` for an unknown one. */
export function activate(lowering: Lowering, name: Json | undefined, x: Lowered): Lowered {
  if (name === null || name === undefined) return x;
  const key = typeof name === "string" ? name.toLowerCase() : "";
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
