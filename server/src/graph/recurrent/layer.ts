/**
 * A recurrent layer written out step by step. The projection of the input is one MatMul for all steps; a step sees only
 * its slice of it. Shapes as in ONNX: X [steps, batch, input], W [directions, gates · hidden, input],
 * R [directions, gates · hidden, hidden], B [directions, 2 · gates · hidden], states [directions, batch, hidden].
 */
import type { GraphBuilder, Value } from "../builder.js";
import { intAttribute, type Node } from "../graph.js";
import { attributes } from "../literal.js";
import { clipped } from "./activations.js";
import type { Cell } from "./cell.js";

/** Lengths that a layer's shapes give. */
export interface Lengths {
  readonly steps: number;
  readonly batch: number;
  readonly hidden: number;
}

/** Which way each direction of a node goes; null for a word that the specification does not have. */
export function directionsOf(node: Node): readonly ("forward" | "reverse")[] | null {
  const attribute = node.attributes.get("direction");
  const word = attribute?.kind === "string" ? new TextDecoder().decode(attribute.value) : "forward";
  if (word === "bidirectional") return ["forward", "reverse"];
  return word === "forward" || word === "reverse" ? [word] : null;
}

/** Adds the steps of `node` to `b`, and its outputs under their names. `functions` are those of all its directions. */
export function unrollLayer(
  node: Node,
  cell: Cell,
  b: GraphBuilder,
  { steps, batch, hidden }: Lengths,
  functions: readonly ((x: Value) => Value)[],
): void {
  const [x = "", w = "", r = "", bias = "", , h0 = "", c0 = "", p = ""] = node.inputs;
  // With layout 1 the batch comes first.
  const batchFirst = intAttribute(node, "layout", 0) === 1;
  const ways = directionsOf(node) ?? [];
  const parts = (value: Value, count: number, axis: number): readonly Value[] =>
    count === 1 ? [value] : b.outputs("Split", [value], count, { axis, num_outputs: count });
  const ofDirections = (value: Value): readonly (Value | null)[] =>
    value === "" ? ways.map(() => null) : parts(value, ways.length, 0);
  const squeezed = (value: Value): Value => b.op("Squeeze", [value, b.ints([0])]);
  const initial = [h0, c0]
    .slice(0, cell.states)
    .map((state) =>
      state === ""
        ? ways.map(() => b.zeros([1, batch, hidden]))
        : parts(batchFirst ? b.transpose(state, [1, 0, 2]) : state, ways.length, 0),
    );
  const input = batchFirst ? b.transpose(x, [1, 0, 2]) : x;
  const weights = ofDirections(w);
  const recurrent = ofDirections(r);
  const biases = ofDirections(bias);
  const peepholes = ofDirections(p);

  const sequences: Value[] = [];
  const finals: (readonly Value[])[] = [];
  ways.forEach((way, d) => {
    const both = biases[d];
    const [beside, behind] = both == null ? [] : parts(squeezed(both), 2, 0);
    const peephole = peepholes[d];
    const perWay = functions.length / ways.length;
    const { bias: added, step } = cell.recurrence({
      b,
      node,
      hidden,
      recurrent: b.transpose(squeezed(recurrent[d]!), [1, 0]),
      biases: beside === undefined || behind === undefined ? null : [beside, behind],
      peepholes: peephole == null ? null : squeezed(peephole),
      activate: functions.slice(d * perWay, (d + 1) * perWay),
      clip: (value) => clipped(node, b, value),
    });
    const product = b.matMul(input, b.transpose(squeezed(weights[d]!), [1, 0]));
    const projected = parts(added === null ? product : b.add(product, added), steps, 0);
    const outputs: Value[] = Array.from({ length: steps }, () => "");
    let state: readonly Value[] = initial.map((values) => values[d]!);
    for (let i = 0; i < steps; i++) {
      const t = way === "forward" ? i : steps - 1 - i;
      state = step(projected[t]!, state);
      outputs[t] = state[0]!;
    }
    sequences.push(b.op("Unsqueeze", [b.concat(outputs, 0), b.ints([1])]));
    finals.push(state);
  });

  const give = (output: string | undefined, value: () => Value): void => {
    if (output === undefined || output === "") return;
    b.node({ name: "", op: "Identity", domain: "", inputs: [value()], outputs: [output], attributes: attributes({}) });
  };
  const states = (part: number): Value => {
    const all = b.concat(
      finals.map((state) => state[part]!),
      0,
    );
    return batchFirst ? b.transpose(all, [1, 0, 2]) : all;
  };
  give(node.outputs[0], () => {
    const all = b.concat(sequences, 1);
    return batchFirst ? b.transpose(all, [2, 0, 1, 3]) : all;
  });
  give(node.outputs[1], () => states(0));
  if (cell.states === 2) give(node.outputs[2], () => states(1));
}
