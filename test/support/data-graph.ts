/** Graphs that have inputs and outputs and nothing else: all that data asks of most models. */
import type { Dim, DType } from "../../server/protocol/model.js";
import type { Graph, ValueInfo } from "../../server/src/graph/graph.js";

/** A value: its shape, and its type where that is not float. */
export interface ValueWords {
  readonly shape: readonly Dim[] | null;
  readonly dtype?: DType;
}

export function graphOf(
  inputs: Readonly<Record<string, ValueWords>>,
  outputs: Readonly<Record<string, ValueWords>> = { y: { shape: ["N", 10] } },
): Graph {
  const values = (words: Readonly<Record<string, ValueWords>>): ValueInfo[] =>
    Object.entries(words).map(([name, { shape, dtype = "float" }]) => ({ name, dtype, shape }));
  return {
    name: "",
    path: "",
    parent: null,
    inputs: values(inputs),
    outputs: values(outputs),
    constants: new Map(),
    nodes: [],
  };
}
