/** What the theory needs to know about an activation φ, and the ONNX operator that it stands for. */
import type { Bend } from "../quadrature.js";

/** One φ with its parameters set. */
export interface Activation {
  /** Name on the command line, with the parameters that are not the default ones. */
  readonly name: string;
  readonly onnx: OnnxForm;
  /** φ(u). */
  readonly value: (u: number) => number;
  /** φ'(u); at a kink either side's. */
  readonly slope: (u: number) => number;
  /** Kinks of φ or φ', and the centre of a smooth bend. */
  readonly bends: readonly Bend[];
  /** φ(t·u) = t·φ(u) for t > 0. */
  readonly homogeneous: boolean;
  /** φ jumps somewhere: φ' does not describe how two close inputs part. */
  readonly jumps: boolean;
  /** lim φ(u)/u to the left and to the right; both 0 when φ is bounded. */
  readonly tails: { readonly left: number; readonly right: number };
  /** Closed forms of expectations, where they exist. */
  readonly exact: ExactForms | null;
}

/** The operator of the ONNX graph, with its attributes (Clip's bounds and PRelu's slope are inputs there). */
export interface OnnxForm {
  readonly op: string;
  readonly attributes: Readonly<Record<string, number | string>>;
}

/** Expectations over u₁, u₂ ~ N(0, q) with correlation c. */
export interface ExactForms {
  /** E φ(u₁)φ(u₂). */
  readonly product: (q: number, c: number) => number;
  /** E φ'(u₁)φ'(u₂). */
  readonly slopes: (q: number, c: number) => number;
  /** d/dq E φ(u)². */
  readonly growth: (q: number) => number;
}

/** A parameter of a family, with its default. */
export interface Parameter {
  readonly name: string;
  readonly default: number;
}

/** An activation before its parameters are set. */
export interface ActivationFamily {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly parameters: readonly Parameter[];
  /** What is wrong with the parameters, or null. Absent where all finite ones are right. */
  readonly problem?: (...values: readonly number[]) => string | null;
  /** @param values in the order of `parameters`. */
  readonly make: (...values: readonly number[]) => Definition;
}

/** An activation without its name: what a family's `make` gives. Fields left out are false, 0 or null. */
export type Definition = Pick<Activation, "onnx" | "value" | "slope" | "bends"> &
  Partial<Pick<Activation, "homogeneous" | "jumps" | "tails" | "exact">>;
