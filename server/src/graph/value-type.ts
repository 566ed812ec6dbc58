import type { DType } from "../../protocol/model.js";

/** Element type and shape of a value, once dynamic axes are bound. */
export interface ValueType {
  readonly dtype: DType;
  /** null when it depends on data. */
  readonly shape: readonly number[] | null;
}

/** Types of the values of a main graph, by name. */
export type ValueTypes = ReadonlyMap<string, ValueType>;
