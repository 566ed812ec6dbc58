/** Ways back from a residual sum: along a shortcut, and through all of a branch. */
import type { Value } from "../builder.js";
import { type Node, operatorLabel } from "../graph.js";
import type { Links } from "../links.js";
import { dependencies } from "../traversal.js";
import { constantBehind } from "../weighted-sum.js";

/** They pass a value on as it is. */
const transparent: ReadonlySet<string> = new Set(["Cast", "Dropout", "Identity"]);
/** What a projection may hold, linear in its input; of these at most one weighted. */
const projecting: ReadonlySet<string> = new Set([
  "AveragePool",
  "BatchNormalization",
  "Concat",
  "Conv",
  "Gemm",
  "InstanceNormalization",
  "MatMul",
  "MaxPool",
  "Pad",
  "Reshape",
  "Slice",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);
const weighted: ReadonlySet<string> = new Set(["Conv", "Gemm", "MatMul"]);
/** Longest projection. */
const longest = 12;

/** A way back from one side of a sum that could be its shortcut. */
export interface Shortcut {
  readonly start: Value;
  /** Nodes of the projection, nearest the sum first; empty for an identity. */
  readonly nodes: readonly Node[];
}

/** Every value that `side` is a shortcut of, nearest first. */
export function* shortcutsOf(links: Links, side: Value): Iterable<Shortcut> {
  const nodes: Node[] = [];
  let start = side;
  let weights = 0;
  yield { start, nodes };
  for (let steps = 0; steps < longest; steps++) {
    const node = links.producer.get(start);
    if (node === undefined || node.domain !== "") return;
    const signals = node.inputs.filter((name) => name !== "" && constantBehind(links, name) === null);
    const [signal, ...others] = signals;
    if (signal === undefined || others.length > 0) return;
    if (!transparent.has(node.op)) {
      if (!projecting.has(node.op)) return;
      if (weighted.has(node.op) && ++weights > 1) return;
      nodes.push(node);
    }
    start = signal;
    yield { start, nodes: [...nodes] };
  }
}

/**
 * The nodes between `start` and `end` when everything computed that enters `end` goes through `start`; null when
 * something else enters it, or `start` does not. Integer inputs (masks of attention) may enter.
 */
export function followBack(links: Links, end: Value, start: Value): readonly Node[] | null {
  if (end === start) return null;
  const seen = new Set<Node>();
  const inputs = new Map(links.graph.inputs.map(({ name, dtype }) => [name, dtype]));
  let met = false;
  const open = [end];
  const visited = new Set<Value>();
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === "" || visited.has(value)) continue;
    visited.add(value);
    if (value === start) {
      met = true;
      continue;
    }
    const node = links.producer.get(value);
    if (node === undefined) {
      if (inputs.get(value) === "float" || inputs.get(value) === "float16") return null;
      continue;
    }
    seen.add(node);
    // What only looks at shapes carries no signal.
    if (operatorLabel(node) === "Shape") continue;
    open.push(...dependencies(node));
  }
  return met ? links.graph.nodes.filter((node) => seen.has(node)) : null;
}
