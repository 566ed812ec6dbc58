/** What a model format is: it reads a source into the graph, and writes edits back in its own way. */
import type { DType } from "../../protocol/model.js";
import type { Model, Node } from "../graph/graph.js";
import type { TensorRef } from "../graph/tensor.js";
import type { Source } from "./source.js";
import type { StoredElements } from "./stored-elements.js";

/** Edits one block of a weight: changes `bytes`, which hold the elements from `start` on, in place. */
export type BlockEdit = (bytes: Uint8Array, start: number, count: number) => void;

/** A tensor whose stored elements a save changes. Its length and place stay. */
export interface TensorEdit {
  /** In the file. */
  readonly name: string;
  readonly tensor: TensorRef;
  readonly elements: StoredElements;
  readonly edit: BlockEdit;
}

/** A node's input that is to be multiplied by a constant, by a Mul node in front of it. */
export interface InputScale {
  /** Of the main graph, as it was read. */
  readonly node: Node;
  /** Index of the input. */
  readonly input: number;
  readonly factor: number;
  /** Element type of the input. */
  readonly dtype: DType;
}

export interface WriteOptions {
  readonly target: string;
  /** Files of the person's model, its main file first, where the source is a copy of it. */
  readonly originals?: readonly string[];
  /** The target may be the original itself. */
  readonly replaceOriginal: boolean;
  readonly edits: readonly TensorEdit[];
  /** Nodes to add. Without any, everything outside the edited tensors stays at its place, byte for byte. */
  readonly scales: readonly InputScale[];
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
  /** Whether a file of that name is one of its models, by how it begins; true where the name alone says so. */
  readonly recognises: (head: string) => boolean;
  /** Whether ONNX Runtime takes its files as they are. */
  readonly runs: boolean;
  /** Whether nodes can be added to its files ({@link WriteOptions.scales}). */
  readonly takesNodes: boolean;
  /** @throws PruneScopeError with what is wrong with the file, and where. */
  read(source: Source): Model | Promise<Model>;
  /** What the model says about itself, without reading its graph where that can be avoided. @throws as `read` does. */
  metadata(source: Source): Model["metadata"];
  write(source: Source, model: Model, options: WriteOptions): Promise<void>;
}
