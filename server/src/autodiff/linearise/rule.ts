/**
 * What a linear rule is: for one operator, what SynFlow's linear network has in its place (Tanaka et al. 2020, arXiv
 * 2006.05467; DESIGN.md "Criteria"). All values of the linear network are non-negative: weights enter as |w|, biases
 * are 0, activations the identity.
 */
import type { DType } from "../../../protocol/model.js";
import type { GraphBuilder, Value } from "../../graph/builder.js";
import type { Node } from "../../graph/graph.js";
import type { Exponents, Scaled } from "./exponents.js";

/** Thrown by a rule that has no linear form for this node, with the reason in words. */
export class NoLinearForm extends Error {}

/** The same value as in the model: it does not depend on the data. */
export interface Known {
  readonly kind: "known";
  readonly value: Value;
  /** Whether no element can be below 0, so that it is its own magnitude. */
  readonly nonNegative: boolean;
}

/** A float value that depends on the data, as the linear network has it: `value` · 2^`exponent`. */
export interface Signal extends Scaled {
  readonly kind: "signal";
  /** Between which numbers the model's own value lies, where a squashing function bounds it. */
  readonly bounds: readonly [low: number, high: number] | null;
}

/** Whole numbers and truth values made from the data: the linear network has none. */
export interface Decision {
  readonly kind: "decision";
}

/** A value behind an operator without a linear form. */
export interface Missing {
  readonly kind: "missing";
  readonly node: string;
  readonly operator: string;
  readonly reason: string;
}

export type Image = Known | Signal | Decision | Missing;

export const decision: Decision = Object.freeze({ kind: "decision" });

/** A node that is being linearised. */
export interface LinearSite {
  readonly node: Node;
  readonly b: GraphBuilder;
  readonly exponents: Exponents;
  /** Number of inputs, absent ones at the end left out. */
  readonly arity: number;
  /** Image of input `i`; null when it is absent. */
  image(i: number): Image | null;
  /** Image of input `i`, which must be a signal. */
  signal(i: number): Signal;
  /** |c| of input `i`, which must be known, as float32. */
  magnitude(i: number): Value;
  /** Elements of input `i` where it is a small constant; null elsewhere. */
  constant(i: number): readonly number[] | null;
  /** Bound shape of input `i`. */
  shape(i: number): readonly number[];
  /** Bound shape of output `i`. */
  outputShape(i?: number): readonly number[];
  /** Element type of output 0 in the model. */
  outputType(): DType;
  int(name: string, fallback: number): number;
  float(name: string, fallback: number): number;
  string(name: string, fallback: string): string;
  /** The node itself on other inputs: the same attributes, as many outputs. */
  same(inputs: readonly Value[]): readonly Value[];
  /** Whether the output goes to outputs of the graph only, through nothing that has weights. */
  readonly isFinal: boolean;
  /** Whether input `i` is made of input `of` by reducing it, as the mean of a normalisation is. */
  isReductionOf(i: number, of: number): boolean;
  /** Notes that input `i` is held constant, so that what only feeds it gets no score. `why` completes "it only feeds …". */
  holdConstant(i: number, why: string): void;
}

export interface LinearRule {
  /** Operator, with its domain in front when that is not ONNX's own. */
  readonly op: string;
  /** Images of the outputs, for a node of which at least one input is a signal and none is missing. */
  readonly images: (site: LinearSite) => readonly Image[];
}
