/** What a case of a gradient rule is: one node, its attributes and the shapes of its inputs. Cases are data. */
import type { AttributeValue } from "../../support/models.js";

/** How an input is made. */
export interface CaseInput {
  readonly shape: readonly number[];
  /** Elements that are not differentiated by: indices, shapes, conditions, axes. */
  readonly fixed?: {
    readonly dtype: "int64" | "int32" | "bool" | "float" | "uint8" | "int8";
    readonly values: readonly number[];
  };
  /**
   * Where the seeded elements lie: `normal` (the default), `positive` in [0.5, 2], `apart` distinct multiples of 0.1
   * (for operators with kinks, where a step of finite differences must not cross one).
   */
  readonly draw?: "normal" | "positive" | "apart";
  /** The elements themselves, where it matters where they lie. */
  readonly at?: readonly number[];
  /** Multiplies the elements. */
  readonly scale?: number;
  /** Added to the elements. */
  readonly shift?: number;
}

/** The operator set of cases that name none. */
export const usualOpset = 17;

export interface GradientCase {
  /** Says what is special about the case. */
  readonly title: string;
  readonly op: string;
  readonly domain?: string;
  /** Operator set of ONNX (`usualOpset` when absent): older ones are raised before they are differentiated. */
  readonly opset?: number;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** null for an optional input that is absent. */
  readonly inputs: readonly (CaseInput | null)[];
  /** Number of outputs (1 when absent); all that are floats enter the loss. */
  readonly outputs?: number;
  /** 2 where the rule is smooth: the gradient is differentiated once more and compared too. 1 is the default. */
  readonly order?: 1 | 2;
}

/** A case with an input of normal numbers for each shape. */
export function gradientCase(
  op: string,
  title: string,
  shapes: readonly (readonly number[])[],
  more: Partial<GradientCase> = {},
): GradientCase {
  return { op, title, inputs: shapes.map((shape) => ({ shape })), order: 2, ...more };
}
