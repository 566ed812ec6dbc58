/**
 * The one graph that every format is read into: nodes with ONNX operator semantics, values by name, constants by
 * reference. Constant nodes of a file become constants here, and model-local functions are inlined, so that passes
 * over the graph see one form only. Nodes are in topological order.
 */
import type { Dim, DType } from "../../protocol/model.js";
import type { TensorRef } from "./tensor.js";

/** A tensor known when the model is read. */
export interface Constant {
  readonly name: string;
  readonly tensor: TensorRef;
  /** The elements, decoded, raw and little-endian, where they are few (shapes, axes, scales) or exist in no file. */
  readonly inline: Uint8Array | null;
  /** Where the file has it; `made` for what exists in no file, but was added to the graph. */
  readonly origin: "initializer" | "constant-node" | "attribute" | "made";
  /** Shape of the dense tensor where the file stores only some of its elements (`tensor` holds those), and their places. */
  readonly sparse: SparseForm | null;
}

/** A tensor of which the file stores only some elements; all others are 0. */
export interface SparseForm {
  /** Of the dense tensor. */
  readonly shape: readonly number[];
  /** Linear indices of the stored elements, or one row of coordinates for each; null where the file has none. */
  readonly indices: Constant | null;
}

/** Type and shape of a graph's input or output. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[] | null;
  /** ONNX's notation of a type that is no tensor, `seq(tensor(float))` for example. */
  readonly type?: string;
}

export type Attribute =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "string"; readonly value: Uint8Array }
  | { readonly kind: "tensor"; readonly value: Constant }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly bigint[] }
  | { readonly kind: "strings"; readonly value: readonly Uint8Array[] }
  | { readonly kind: "graphs"; readonly value: readonly Graph[] }
  /** A kind that no operator we know uses (type protos, lists of tensors): kept out of the graph, named. */
  | { readonly kind: "other"; readonly type: string };

export interface Node {
  /** As in the file: may be empty or repeated. */
  readonly name: string;
  readonly op: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** Value names; empty for an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Graph {
  readonly name: string;
  /** Path from the main graph: empty there, `ifOutput.then_branch` in a branch, joined by `/`. */
  readonly path: string;
  readonly parent: Graph | null;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly constants: ReadonlyMap<string, Constant>;
  readonly nodes: readonly Node[];
}

/** A model as it was read: its graph, and what the file says about itself. */
export interface Model {
  readonly graph: Graph;
  readonly irVersion: number;
  /** Version of each operator set, by domain (empty for ONNX's own). */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: string;
  readonly docString: string;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  /** Sentences about how the file was read. */
  readonly notes: readonly string[];
}

/** How a node is called in messages: its name, else its first output. */
export function nodeLabel(node: Node): string {
  return node.name !== "" ? node.name : (node.outputs.find((output) => output !== "") ?? node.op);
}

/** Operator with its domain where that is not ONNX's own. */
export function operatorLabel(node: Node): string {
  return node.domain === "" ? node.op : `${node.domain}.${node.op}`;
}

/** An integer attribute as a number. */
export function intAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "int" ? Number(attribute.value) : fallback;
}

/** A list-of-integers attribute as numbers; null when it is absent. */
export function intsAttribute(node: Node, name: string): readonly number[] | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "ints" ? attribute.value.map(Number) : null;
}

/** Graphs inside a node: branches and bodies, with the attribute they come from. */
export function* subgraphsOf(node: Node): Iterable<Graph> {
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === "graph") yield attribute.value;
    else if (attribute.kind === "graphs") yield* attribute.value;
  }
}
