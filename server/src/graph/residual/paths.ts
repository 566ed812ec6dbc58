/** Ways back from a residual sum: along a shortcut, and through all of a branch. */
import type { Value } from "../builder.js";
import type { Node } from "../graph.js";
import { dependencies } from "../traversal.js";
import type { Signals } from "./signals.js";

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
export function* shortcutsOf({ links, carries }: Signals, side: Value): Iterable<Shortcut> {
  const nodes: Node[] = [];
  let start = side;
  let weights = 0;
  yield { start, nodes };
  for (let steps = 0; steps < longest; steps++) {
    const node = links.producer.get(start);
    if (node === undefined || node.domain !== "") return;
    const signals = node.inputs.filter(carries);
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

/** What lies between the start of a block and its sum. */
export interface Branch {
  /** In topological order. */
  readonly nodes: readonly Node[];
  /** The start leads to the end. */
  readonly met: boolean;
  /** Signals that do not come from the start lead there too. */
  readonly others: boolean;
}

/** Nodes that are looked at for one model; a chain of sums could otherwise take time by the square of its length. */
const mostSteps = 5_000_000;

/** Follows branches of one graph back to where they start. */
export class Branches {
  #steps = 0;

  constructor(readonly signals: Signals) {}

  /** All ways of a signal back from `end` that go through `start`, or past it. */
  between(start: Value, end: Value): Branch {
    const { links, carries, place } = this.signals;
    const nodes = new Set<Node>();
    const visited = new Set<Value>();
    const first = place(start);
    let met = false;
    let others = false;
    const open = [end];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (visited.has(value) || !carries(value)) continue;
      visited.add(value);
      if (value === start) {
        met = true;
        continue;
      }
      const node = links.producer.get(value);
      // What is made before the start cannot come from it.
      if (node === undefined || place(value) <= first || ++this.#steps > mostSteps) {
        others = true;
        continue;
      }
      nodes.add(node);
      open.push(...dependencies(node));
    }
    const placeOf = (node: Node): number => place(node.outputs.find((name) => name !== "") ?? "");
    return { nodes: [...nodes].sort((a, b) => placeOf(a) - placeOf(b)), met, others };
  }
}
