/** What lowers an operator of a TensorFlow graph, and what it is told of a node. */
import type { Lowered } from "../lowering/lowered.js";
import type { Lowering } from "../lowering/lowering.js";
import type { NodeDef } from "./node-def.js";

export interface OpSite {
  readonly lowering: Lowering;
  readonly node: NodeDef;
  /** Data inputs, in order; control inputs are left out. */
  readonly inputs: readonly Lowered[];
  /** Elements of input `index` where it is a small constant. @throws PruneScopeError `unsupported-op` where it is computed. */
  constant(index: number): readonly number[];
}

export interface OpRule {
  /** Operators, as TensorFlow calls them. */
  readonly ops: readonly string[];
  /** @returns its outputs, in order. */
  lower(site: OpSite): readonly Lowered[];
}
