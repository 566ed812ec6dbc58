/** One step of a recurrent layer: what its cells have in common. Shapes are [1, batch, …], so that no step reshapes. */
import type { GraphBuilder, Value } from "../builder.js";
import type { Node } from "../graph.js";

/** One direction of a layer, ready to make steps. */
export interface Direction {
  readonly b: GraphBuilder;
  readonly node: Node;
  /** Length of the state. */
  readonly hidden: number;
  /** Recurrent weights, transposed: [hidden, gates · hidden]. */
  readonly recurrent: Value;
  /** Biases beside the input and beside the state, [gates · hidden] each; null when there are none. */
  readonly biases: readonly [Value, Value] | null;
  /** LSTM's weights from the cell to its gates, [3 · hidden]; null when there are none. */
  readonly peepholes: Value | null;
  /** The activation functions in the order of the specification. */
  readonly activate: readonly ((value: Value) => Value)[];
  /** Bounds the argument of an activation function by the attribute `clip`. */
  readonly clip: (value: Value) => Value;
}

/** A direction as a recurrence. */
export interface Recurrence {
  /** What is added to the input's projection of every step, [gates · hidden]; null for nothing. */
  readonly bias: Value | null;
  /**
   * The state after a step: `projected` is the input's projection [1, batch, gates · hidden], `state` what was before;
   * each part of a state is [1, batch, hidden], the output first.
   */
  readonly step: (projected: Value, state: readonly Value[]) => readonly Value[];
}

/** A kind of recurrent layer, as the ONNX specification defines it. */
export interface Cell {
  readonly gates: number;
  /** Parts of the state: the output, and the cell of an LSTM. */
  readonly states: 1 | 2;
  /** Default activation functions of one direction. */
  readonly activations: readonly string[];
  readonly recurrence: (direction: Direction) => Recurrence;
}
