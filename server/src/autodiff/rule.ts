/**
 * What a gradient rule is: for one operator, how the cotangent of each input follows from those of the outputs. Rules
 * emit ordinary operators, so that what they make can be differentiated again. Graphs are raised to a recent operator
 * set before they are differentiated (`graph/modernise`): a rule knows one form of its operator.
 */
import type { DType } from "../../protocol/model.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import type { Node } from "../graph/graph.js";
import type { Kernels } from "../runtime/kernels.js";

/** Thrown by a rule that cannot go on with this node: an attribute it does not know, a shape that is not there. */
export class NoGradient extends Error {}

/** A node that is being differentiated. */
export interface Site {
  readonly node: Node;
  readonly b: GraphBuilder;
  readonly kernels: Kernels;
  /** Whether the gradients will be differentiated once more: prefer forms that have rules and are smooth. */
  readonly twice: boolean;
  /** Number of inputs, absent ones at the end left out. */
  readonly arity: number;
  /** Whether input `i` is there. */
  has(i: number): boolean;
  /** Value of input `i`. */
  input(i: number): Value;
  /**
   * Value of output `i`. An optional output that the node leaves out (Indices of MaxPool, Mean of LayerNormalization)
   * is added to it.
   */
  output(i?: number): Value;
  /** Whether the cotangent of input `i` is wanted. */
  wants(i: number): boolean;
  /** Cotangent of output `i`; null when the loss does not depend on it. */
  cotangent(i: number): Value | null;
  /** Cotangent of the only output that has one. */
  readonly dy: Value;
  /** Shape of a value. @throws NoGradient when it depends on data. */
  shape(value: Value): readonly number[];
  inputShape(i: number): readonly number[];
  outputShape(i?: number): readonly number[];
  dtype(value: Value): DType;
  /** Elements of input `i` when it is a small constant; null when it is computed. */
  constant(i: number): readonly number[] | null;
  int(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  string(name: string, fallback: string): string;
  ints(name: string): readonly number[] | null;
  floats(name: string): readonly number[] | null;
  /** Axis counted from the front. */
  axis(axis: number, rank: number): number;
}

/** Makes the cotangent of one input, when it is wanted; null where the output does not depend on it smoothly. */
export type Cotangent = (() => Value) | null;

export interface GradientRule {
  /** Operator, with its domain in front when that is not ONNX's own. */
  readonly op: string;
  /**
   * Inputs are broadcast against each other, and their cotangents are returned in the shape of the output: they are
   * summed over broadcast axes once, when all contributions are there.
   */
  readonly broadcasts?: boolean;
  /**
   * Not differentiable by nature: the output is a step function of the inputs, or only knows their shape. Its gradient
   * is zero wherever it exists, as in every framework.
   */
  readonly flat?: boolean;
  /**
   * Right for every element type: it only moves elements, or minds their type itself. Other rules are for float32, and
   * are not asked where a node computes in anything else.
   */
  readonly anyType?: boolean;
  /** The integers that come out stand for real numbers and have a cotangent, a float one. */
  readonly quantises?: boolean;
  /** Cotangents by input. Inputs beyond the list have none. */
  readonly pullback: (site: Site) => readonly Cotangent[];
}
