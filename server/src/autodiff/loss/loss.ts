/**
 * A loss as part of a graph: a scalar computed from one output of the model and from what it is held against. The
 * mean is over the batch, so that gradients of equal batches average to the gradient of all of them.
 */
import type { GraphBuilder, Value } from "../../graph/builder.js";
import type { ValueInfo } from "../../graph/graph.js";

/** What a loss is held against, as an input of the graph. */
export interface LossInput {
  /** `labels`: class numbers, int64. `targets`: floats of the output's shape. `gumbel`: Gumbel noise of that shape. */
  readonly kind: "labels" | "targets" | "gumbel";
  readonly value: ValueInfo & { readonly shape: readonly number[] };
}

/** The output that a loss looks at. */
export interface LossSite {
  readonly b: GraphBuilder;
  /** The output; for class scores before their softmax, where there is one. */
  readonly output: Value;
  readonly shape: readonly number[];
  /** Axis of the classes. */
  readonly classAxis: number;
  /** Class scores are divided by it (GraSP); 1 changes nothing. */
  readonly temperature: number;
}

export interface AttachedLoss {
  readonly loss: Value;
  readonly inputs: readonly LossInput[];
}

export interface Loss {
  readonly id: string;
  /** In words, for the report. */
  readonly title: string;
  /** What it must be given. */
  readonly needs: "labels" | "targets" | null;
  /** Whether the output must be class scores. */
  readonly classes: boolean;
  attach(site: LossSite): AttachedLoss;
}
