/** What a model format is: it reads a source into the graph, and writes edits back in its own way. */
import type { Model } from "../graph/graph.js";
import type { PrunableWeight } from "../graph/prunable.js";
import type { Source } from "./source.js";
import type { StoredElements } from "./stored-elements.js";

/** Edits one block of a weight: changes `bytes`, which hold the elements from `start` on, in place. */
export type BlockEdit = (bytes: Uint8Array, start: number, count: number) => void;

/** A weight whose stored elements a save changes. */
export interface WeightEdit {
  readonly weight: PrunableWeight;
  readonly elements: StoredElements;
  readonly edit: BlockEdit;
}

export interface WriteOptions {
  readonly target: string;
  /** The target may be the original itself. */
  readonly replaceOriginal: boolean;
  readonly edits: readonly WeightEdit[];
  /** Records to append to the model's metadata. */
  readonly provenance: readonly { readonly key: string; readonly value: string }[];
  /** Called with the bytes written so far; may throw to stop. */
  readonly progress: (done: number, total: number) => Promise<void>;
  /** Called when everything is written and nothing has its final name yet; throws to stop. */
  readonly beforeCommit: () => void;
}

export interface Format {
  readonly id: string;
  /** File names it claims, lower case. */
  readonly extensions: readonly string[];
  read(source: Source): Model;
  write(source: Source, model: Model, options: WriteOptions): Promise<void>;
}
