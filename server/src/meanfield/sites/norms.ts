/** Norms behind a layer, as operators and spelt out. With the scale of what goes in they take σ_w out of the theory. */
import type { Value } from "../../graph/builder.js";
import { type Node, operatorLabel } from "../../graph/graph.js";
import type { Links } from "../../graph/links.js";
import { constantBehind } from "../../graph/weighted-sum.js";

const norms: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "GroupNormalization",
  "InstanceNormalization",
  "LayerNormalization",
  "LpNormalization",
  "MeanVarianceNormalization",
  "RMSNormalization",
  "SimplifiedLayerNormalization",
  "com.microsoft.SkipLayerNormalization",
  "com.microsoft.SkipSimplifiedLayerNormalization",
]);

/** A norm and where the signal leaves it. */
export interface Norm {
  /** In words. */
  readonly label: string;
  readonly output: Value;
}

/** The norm that reads `value`; null where there is none. */
export function normBehind(links: Links, value: Value, readers: readonly Node[]): Norm | null {
  const norm = readers.find((node) => norms.has(operatorLabel(node)) && node.inputs[0] === value);
  if (norm !== undefined) return { label: operatorLabel(norm), output: norm.outputs[0]! };
  const spelt = centred(readers) ?? byMeanSquare(links, value, readers);
  return spelt === null ? null : { label: "A norm spelt out in operators", output: scaled(links, spelt) };
}

/** Layer norm: the mean is taken and subtracted. @returns the difference, which carries the signal on. */
function centred(readers: readonly Node[]): Value | null {
  const mean = readers.find((node) => node.op === "ReduceMean")?.outputs[0];
  const difference =
    mean === undefined ? undefined : readers.find((node) => node.op === "Sub" && node.inputs.includes(mean));
  return difference?.outputs[0] ?? null;
}

/** RMS norm: the square's mean is taken, and the value is scaled by it. @returns the value itself. */
function byMeanSquare(links: Links, value: Value, readers: readonly Node[]): Value | null {
  const square = readers.find((node) => node.op === "Pow" || (node.op === "Mul" && node.inputs[0] === node.inputs[1]));
  if (square === undefined || !links.consumers(square.outputs[0]!).some(({ op }) => op === "ReduceMean")) return null;
  return readers.some((node) => node !== square && (node.op === "Mul" || node.op === "Div")) ? value : null;
}

/** Behind the division by the root of the mean square, times γ, plus β, as far as they follow. */
function scaled(links: Links, start: Value): Value {
  const hasConstant = (node: Node): boolean => node.inputs.some((name) => constantBehind(links, name) !== null);
  let value = start;
  for (const fits of [
    ({ op, inputs }: Node) => (op === "Div" || op === "Mul") && inputs[0] !== inputs[1],
    (node: Node) => node.op === "Mul" && hasConstant(node),
    (node: Node) => node.op === "Add" && hasConstant(node),
  ])
    value = links.consumers(value).find(fits)?.outputs[0] ?? value;
  return value;
}
