/** Samples as they lie in files, before any is chosen and read: what each kind of data is brought to. */
import type { DataKind } from "./dataset.js";
import type { StoredArray } from "./stored-array.js";

export interface Collection {
  readonly kind: DataKind;
  /** The file or folder; empty for synthetic data. */
  readonly file: string;
  /** What it is called in the report, `mnist.npz` for example. */
  readonly title: string;
  /** An array for each input of the model, by the input's name. */
  readonly inputs: ReadonlyMap<string, StoredArray>;
  readonly labels: StoredArray | null;
  /** By the name of the output; null for an array that does not say which. */
  readonly targets: ReadonlyMap<string | null, StoredArray>;
  readonly notes: readonly string[];
}
