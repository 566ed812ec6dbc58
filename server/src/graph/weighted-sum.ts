/**
 * The sum of a weighted layer: what goes in, where W·x comes out, and where its bias is added. Works on models as they
 * are read and on flat graphs whose weights are inputs.
 */
import type { Value } from "./builder.js";
import { type Constant, type Node, operatorLabel } from "./graph.js";
import type { Links } from "./links.js";
import { passesWeights } from "./origin.js";

export interface WeightedSum {
  readonly node: Node;
  /** Index of the weight among the node's inputs. */
  readonly index: number;
  /** x. */
  readonly input: Value;
  /** W·x as the node gives it: with the bias where the node itself adds it. */
  readonly sum: Value;
  /** With the bias. */
  readonly preActivation: Value;
  /** The bias as the node that adds it reads it; null where there is none. */
  readonly bias: Value | null;
  /** The node itself adds it (Conv's input 2, Gemm's C); else an Add behind it does. */
  readonly biasInNode: boolean;
}

/** Input that holds the bias, by operator; null where the operator has none. */
const biasInput: Readonly<Record<string, number | null>> = {
  Conv: 2,
  ConvTranspose: 2,
  Gemm: 2,
  MatMul: null,
  "com.microsoft.FusedConv": 2,
  "com.microsoft.FusedGemm": 2,
  "com.microsoft.FusedMatMul": null,
};

/** Labels of the operators that are one sum of their weights. */
export const weightedOperators: ReadonlySet<string> = new Set(Object.keys(biasInput));

/** The sum of `node`, whose input `index` is a weight; null for operators that are no one sum (recurrent layers). */
export function weightedSum(links: Links, node: Node, index: number): WeightedSum | null {
  const label = operatorLabel(node);
  if (!weightedOperators.has(label)) return null;
  const at = biasInput[label] ?? null;
  const sum = node.outputs[0]!;
  const known = { node, index, input: node.inputs[index === 0 ? 1 : 0]!, sum };
  const own = at === null ? "" : (node.inputs[at] ?? "");
  if (own !== "") return { ...known, preActivation: sum, bias: own, biasInNode: true };
  const [next, ...others] = links.consumers(sum);
  if (next?.op === "Add" && next.domain === "" && others.length === 0 && !links.isOutput(sum)) {
    const bias = next.inputs.find((name) => name !== sum);
    const constant = bias === undefined ? null : constantBehind(links, bias);
    // A bias has one number for each output: at most one of its axes is longer than 1.
    if (constant !== null && constant.tensor.shape.filter((dim) => dim !== 1).length <= 1)
      return { ...known, preActivation: next.outputs[0]!, bias: bias!, biasInNode: false };
  }
  return { ...known, preActivation: sum, bias: null, biasInNode: false };
}

/** The constant whose elements `value` holds, moved or reshaped at most; null when it is computed or an input. */
export function constantBehind({ graph, producer }: Links, value: Value): Constant | null {
  for (let name = value, steps = 0; steps < 16; steps++) {
    for (let scope: typeof graph | null = graph; scope !== null; scope = scope.parent) {
      const constant = scope.constants.get(name);
      if (constant !== undefined) return constant;
    }
    const node = producer.get(name);
    if (node === undefined || !passesWeights(node) || node.op === "Concat") return null;
    name = node.inputs[0]!;
  }
  return null;
}

/** The nodes that use `value` as a weight, through operators that only move its elements, with the index of that input. */
export function weightUses(links: Links, value: Value): readonly { readonly node: Node; readonly index: number }[] {
  return links.consumers(value).flatMap((node) => {
    if (weightedOperators.has(operatorLabel(node))) {
      const index = node.inputs.slice(0, 2).indexOf(value);
      return index < 0 ? [] : [{ node, index }];
    }
    return passesWeights(node) && node.inputs[0] === value ? node.outputs.flatMap((one) => weightUses(links, one)) : [];
  });
}
