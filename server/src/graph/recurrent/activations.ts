/** Activation functions of recurrent layers as ordinary operators. */
import type { GraphBuilder, Value } from "../builder.js";
import type { Node } from "../graph.js";

/** What a function takes besides its argument, with the defaults of the operator of the same name. */
interface Activation {
  readonly alpha?: number;
  readonly beta?: number;
  readonly apply: (b: GraphBuilder, x: Value, alpha: number, beta: number) => Value;
}

const unary = (op: string): Activation => ({ apply: (b, x) => b.op(op, [x]) });

/** By the name in small letters: the specification writes them in many ways. */
const activations: Readonly<Record<string, Activation>> = {
  affine: { alpha: 1, beta: 0, apply: (b, x, alpha, beta) => b.add(b.scale(x, alpha), b.scalar(beta)) },
  elu: { alpha: 1, apply: (b, x, alpha) => b.op("Elu", [x], { alpha: { float: alpha } }) },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    apply: (b, x, alpha, beta) => b.op("HardSigmoid", [x], { alpha: { float: alpha }, beta: { float: beta } }),
  },
  leakyrelu: { alpha: 0.01, apply: (b, x, alpha) => b.op("LeakyRelu", [x], { alpha: { float: alpha } }) },
  relu: unary("Relu"),
  scaledtanh: { alpha: 1, beta: 1, apply: (b, x, alpha, beta) => b.scale(b.op("Tanh", [b.scale(x, beta)]), alpha) },
  sigmoid: unary("Sigmoid"),
  softplus: unary("Softplus"),
  softsign: unary("Softsign"),
  tanh: unary("Tanh"),
  thresholdedrelu: { alpha: 1, apply: (b, x, alpha) => b.op("ThresholdedRelu", [x], { alpha: { float: alpha } }) },
};

/**
 * The functions of a recurrent node, for all its directions one after the other, or the name of one that is not known.
 * Parameters are given in lists of which every function takes what it needs.
 */
export function activationsOf(
  node: Node,
  b: GraphBuilder,
  defaults: readonly string[],
): readonly ((x: Value) => Value)[] | string {
  const named = node.attributes.get("activations");
  const names = named?.kind === "strings" ? named.value.map((name) => new TextDecoder().decode(name)) : defaults;
  const alphas = parameters(node, "activation_alpha");
  const betas = parameters(node, "activation_beta");
  const functions: ((x: Value) => Value)[] = [];
  for (const name of names) {
    const key = name.toLowerCase();
    if (!Object.hasOwn(activations, key)) return name;
    const { alpha, beta, apply } = activations[key]!;
    const a = alpha === undefined ? 0 : (alphas.shift() ?? alpha);
    const c = beta === undefined ? 0 : (betas.shift() ?? beta);
    functions.push((x) => apply(b, x, a, c));
  }
  return functions;
}

/** `value` within ± the attribute `clip` of a recurrent node, or as it is. */
export function clipped(node: Node, b: GraphBuilder, value: Value): Value {
  const limit = node.attributes.get("clip");
  if (limit?.kind !== "float" || limit.value <= 0) return value;
  return b.op("Clip", [value, b.scalar(-limit.value), b.scalar(limit.value)]);
}

function parameters(node: Node, name: string): number[] {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "floats" ? [...attribute.value] : [];
}
