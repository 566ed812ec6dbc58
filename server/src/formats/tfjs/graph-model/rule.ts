/** What lowers an operator of a TensorFlow graph, and what it is told of a node. */
import type { DType } from "../../../../protocol/model.js";
import type { Value } from "../../../graph/builder.js";
import type { Lowered } from "../lowering/lowered.js";
import type { Lowering } from "../lowering/lowering.js";
import type { Dilation } from "./dilated.js";
import type { Known } from "./known.js";
import type { NodeDef } from "./node-def.js";

export type Shape = Lowered["shape"];

export interface OpSite {
  readonly lowering: Lowering;
  readonly node: NodeDef;
  /** Data inputs, in order; control inputs are left out. */
  readonly inputs: readonly Lowered[];
  /** Element type of each input. */
  readonly dtypes: readonly DType[];
  /** How many outputs others read, or the model gives out: one more than the largest index among them. */
  readonly outputs: number;
  /** What is known of the elements of input `index`: a scalar's or a list's. */
  readonly known: (index: number) => Known | null;
  /** All elements of input `index`. @throws Unlowered where they are computed while the model runs. */
  readonly constant: (index: number) => readonly number[];
  /**
   * The constant vector of `length` elements that the only reader of this node adds to its result; that reader then does
   * nothing. Null where there is none.
   */
  readonly takeBias: (length: number | null) => Lowered | null;
  /** The only reader of the node `name`, and of one output of it; null where there are several, or the model gives it out. */
  readonly onlyReader: (name: string) => NodeDef | null;
  /** The elements of a constant node, whether it has been lowered or not; null for another node. */
  readonly constantNamed: (input: string) => readonly number[] | null;
  /** Makes `later`, which this node leads to, give out what its input `index` is. */
  readonly absorb: (later: NodeDef, index: number) => void;
  /** Convolutions, by name, that TensorFlow has taken apart. */
  readonly dilations: Map<string, Dilation>;
}

export interface OpRule {
  /** Operators, as TensorFlow calls them. */
  readonly ops: readonly string[];
  /** @returns its outputs, in order. @throws Unlowered for a form that has no lowering. */
  lower(site: OpSite): readonly Lowered[];
  /** Element types of its outputs; without it that of the first input, for all. */
  dtype?(site: OpSite): DType | readonly DType[];
}

/** A node cannot be lowered; the model is read all the same, and the node stays in the graph under its name. */
export class Unlowered extends Error {}

/** A tensor of which operators know the number of axes: `rank` unknown lengths where nothing is known. @throws Unlowered where it has others. */
export function ranked(x: Lowered, rank: number): Lowered & { readonly shape: readonly (number | null)[] } {
  if (x.shape === null) return { ...x, shape: Array.from({ length: rank }, () => null) };
  if (x.shape.length !== rank) throw new Unlowered(`it takes ${rank} axes and is given ${x.shape.length}`);
  return { ...x, shape: x.shape };
}

/** An axis counted from the front. @throws Unlowered for an axis that is not there, or is counted from an unknown end. */
export function frontAxis(axis: number, shape: Shape): number {
  const at = axis < 0 && shape !== null ? axis + shape.length : axis;
  if (at < 0) throw new Unlowered("the number of axes that it takes is not known");
  if (!Number.isInteger(at) || (shape !== null && at >= shape.length))
    throw new Unlowered(`it has no axis ${axis} in ${shape?.length ?? "so many"} axes`);
  return at;
}

/** Input `index` as a list of int64, as shapes and indices are in ONNX: a literal where its elements are known. */
export function longs({ lowering, inputs, known }: OpSite, index: number): Value {
  const values = known(index)?.values;
  return values !== undefined && isWhole(values)
    ? lowering.ints(values)
    : lowering.cast(lowering.lastValue(inputs[index]!), "int64");
}

/** Whether all elements are known. */
export const isWhole = (values: readonly (number | null)[]): values is readonly number[] => !values.includes(null);
