/** One way to compute the gradient of a convolution's weight. */
import type { GraphBuilder, Value } from "../../../graph/builder.js";
import type { Kernels } from "../../../runtime/kernels.js";
import type { Correlation } from "./correlation.js";

/** What a form may use. */
export interface Means {
  readonly kernels: Kernels;
  /** Whether what it makes will be differentiated again. */
  readonly twice: boolean;
}

export interface WeightForm {
  readonly name: string;
  readonly fits: (c: Correlation, means: Means) => boolean;
  /** Gradient of the weight, in its shape, from x and the cotangent of y. */
  readonly make: (b: GraphBuilder, c: Correlation, x: Value, dy: Value) => Value;
}
