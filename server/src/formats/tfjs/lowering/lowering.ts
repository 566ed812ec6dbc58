/**
 * Builds our graph from the tensors of a TensorFlow.js model. Values stay in the order that convolutions want
 * (channels first) for as long as they can, so that the graph of a network is that of its ONNX twin; transposes stand
 * only where something needs tfjs' own order. Weights are constants that refer to the manifest, with axes as stored.
 */
import { GraphBuilder, type Value } from "../../../graph/builder.js";
import { type Constant, type Graph, type Node, type ValueInfo } from "../../../graph/graph.js";
import { attributes, type AttributeWord, castTo, type LiteralType, literalValues } from "../../../graph/literal.js";
import type { DType } from "../../../../protocol/model.js";
import { cutOff, leadingTo } from "./cut-off.js";
import { axisInValue, type Lowered, toFirst, toLast } from "./lowered.js";

/** Version of ONNX' operators that lowered graphs are made of. */
export const opset = 21;

export type Words = Readonly<Record<string, AttributeWord>>;

export class Lowering {
  readonly #builder: GraphBuilder;
  /** What each value made by a transpose was made of. */
  readonly #turned = new Map<Value, { readonly from: Value; readonly perm: readonly number[] }>();
  /** Values made by transposes, by what they were made of. */
  readonly #transposed = new Map<string, Value>();
  readonly #weights: ReadonlyMap<string, Constant>;
  readonly #inputs: ValueInfo[] = [];
  /** Sentences about what could not be lowered, or not exactly. */
  readonly notes: string[] = [];
  /** Name of the layer or operator that is being lowered: its nodes bear it. */
  scope = "";

  /** @param weights constants of the manifest, by name. */
  constructor(weights: ReadonlyMap<string, Constant>, taken: Iterable<string>) {
    this.#weights = weights;
    this.#builder = new GraphBuilder("", [...weights.keys(), ...taken]);
  }

  /** An input of the model. */
  input(name: string, dtype: DType, shape: readonly (number | null)[] | null): Lowered {
    const dims = shape?.map((dim, axis) => dim ?? (axis === 0 ? "batch" : null)) ?? null;
    this.#inputs.push({ name, dtype, shape: dims });
    return { value: name, layout: "plain", shape };
  }

  /** A weight of the manifest, plain; null where it has none of that name. */
  weight(name: string): Lowered | null {
    const constant = this.#weights.get(name);
    return constant === undefined ? null : this.plain(constant.name, constant.tensor.shape);
  }

  /** Elements of a small weight or of a literal, as numbers; null for what is computed, or large. */
  numbers({ value, layout }: Lowered): readonly number[] | null {
    const constant = layout === "plain" ? (this.#weights.get(value) ?? this.#builder.constants.get(value)) : undefined;
    return constant === undefined ? null : literalValues(constant);
  }

  /** Element type of an input, a weight or a literal; null for what is computed. */
  dtypeOf({ value }: Lowered): DType | null {
    const constant = this.#weights.get(value) ?? this.#builder.constants.get(value);
    return constant?.tensor.dtype ?? this.#inputs.find(({ name }) => name === value)?.dtype ?? null;
  }

  /** A tensor in tfjs' order. */
  plain(value: Value, shape: Lowered["shape"]): Lowered {
    return { value, layout: "plain", shape };
  }

  /** A tensor whose value has its channels second; `shape` is in tfjs' order all the same, with channels last. */
  first(value: Value, shape: readonly (number | null)[]): Lowered {
    return { value, layout: "channels-first", shape };
  }

  /** The value of a tensor in tfjs' order of axes. */
  lastValue(tensor: Lowered): Value {
    if (tensor.layout === "plain") return tensor.value;
    return this.transposed(tensor.value, toLast(tensor.shape!.length));
  }

  /** The value of a tensor of known rank (three and more) with its channels second. */
  firstValue(tensor: Lowered): Value {
    if (tensor.layout === "channels-first") return tensor.value;
    return this.transposed(tensor.value, toFirst(tensor.shape!.length));
  }

  /** `value` with its axes in the order of `perm`. A transpose behind a transpose is one, or none where they cancel. */
  transposed(value: Value, perm: readonly number[]): Value {
    if (perm.every((axis, i) => axis === i)) return value;
    const before = this.#turned.get(value);
    if (before !== undefined)
      return this.transposed(
        before.from,
        perm.map((axis) => before.perm[axis]!),
      );
    const key = `${perm.join()} ${value}`;
    const known = this.#transposed.get(key);
    if (known !== undefined) return known;
    const made = this.op("Transpose", [value], { perm });
    this.#transposed.set(key, made);
    this.#turned.set(made, { from: value, perm });
    return made;
  }

  /** The only output of a new node. */
  op(op: string, inputs: readonly Value[], words: Words = {}, domain = ""): Value {
    return this.ops(op, inputs, 1, words, domain)[0]!;
  }

  /** All outputs of a new node. */
  ops(op: string, inputs: readonly Value[], outputs: number, words: Words = {}, domain = ""): readonly Value[] {
    const made = Array.from({ length: outputs }, () => this.#builder.fresh(`${this.scope}/${op}`));
    this.#builder.node({ name: this.scope, op, domain, inputs, outputs: made, attributes: attributes(words) });
    return made;
  }

  literal(dtype: LiteralType, shape: readonly number[], values: readonly number[]): Value {
    return this.#builder.literal(dtype, shape, values);
  }
  /** A list of integers (int64, rank 1). */
  ints = (values: readonly number[]): Value => this.literal("int64", [values.length], values);
  /** A float scalar. */
  scalar = (value: number): Value => this.literal("float", [], [value]);
  cast = (value: Value, to: DType): Value => this.op("Cast", [value], { to: castTo(to) });

  /** An operator on one tensor that looks at each element by itself: any layout is right. */
  unary(op: string, tensor: Lowered, words: Words = {}): Lowered {
    return { ...tensor, value: this.op(op, [tensor.value], words) };
  }

  /**
   * An operator on several tensors that looks at corresponding elements, with broadcasting. The result keeps channels
   * first where one of the tensors has them so and the others can follow.
   */
  elementwise(op: string, tensors: readonly Lowered[], words: Words = {}): Lowered {
    const { values, layout, shape } = this.aligned(tensors);
    return { value: this.op(op, values, words), layout, shape };
  }

  /** Values of several tensors in one layout, in which they broadcast as the tensors do in tfjs; and the broadcast shape. */
  aligned(tensors: readonly Lowered[]): { values: Value[]; layout: Lowered["layout"]; shape: Lowered["shape"] } {
    const shape = broadcast(tensors.map((tensor) => tensor.shape));
    const rank = tensors.find(({ layout }) => layout === "channels-first")?.shape?.length;
    if (rank === undefined || shape === null || shape.length !== rank)
      return { values: tensors.map((tensor) => this.lastValue(tensor)), layout: "plain", shape };
    const values = tensors.map((tensor) => {
      const own = tensor.shape!.length;
      if (own === rank) return this.firstValue(tensor);
      // [C] against [N, …, C]: the vector's axis is the channels'. What is shorter than that is a scalar.
      if (own === 0) return tensor.value;
      const before = Array.from({ length: rank - own }, () => 1);
      const full = this.reshaped(this.lastValue(tensor), [...before, ...tensor.shape!]);
      return this.firstValue(this.plain(full, [...before, ...tensor.shape!]));
    });
    return { values, layout: "channels-first", shape };
  }

  /** A value with other axes; at most one length of `shape` is not known. */
  reshaped(value: Value, shape: readonly (number | null)[]): Value {
    return this.op("Reshape", [value, this.ints(shape.map((dim) => dim ?? -1))], { allowzero: 0 });
  }

  /** Axis of tfjs (negative from the end) in the tensor's value. */
  axis = (tensor: Lowered, axis: number): number => axisInValue(tensor, axis);

  /** What has no lowering: a node that bears the original's name and operator, which the runtime refuses by name. */
  unlowered(op: string, tensors: readonly Lowered[], outputs: readonly Lowered["shape"][], why: string): Lowered[] {
    this.notes.push(`"${this.scope}" (${op}) is not lowered: ${why}.`);
    const values = this.ops(
      op,
      tensors.map((tensor) => this.lastValue(tensor)),
      outputs.length,
      {},
      "tfjs",
    );
    return values.map((value, i) => this.plain(value, outputs[i]!));
  }

  /** The finished graph. @param outputs names of the model's outputs, and what they are. */
  graph(
    name: string,
    outputs: readonly { readonly name: string; readonly tensor: Lowered; readonly dtype: DType }[],
  ): Graph {
    const renamed = new Map<Value, string>();
    const inputs = new Set(this.#inputs.map((input) => input.name));
    const infos: ValueInfo[] = [];
    for (const { name: output, tensor, dtype } of outputs) {
      this.scope = output;
      let value = this.lastValue(tensor);
      // What has a name of its own, or is an output twice, keeps it.
      if (inputs.has(value) || this.#weights.has(value) || this.#builder.constants.has(value) || renamed.has(value))
        value = this.op("Identity", [value]);
      renamed.set(value, output);
      infos.push({
        name: output,
        dtype,
        shape: tensor.shape?.map((dim, axis) => dim ?? (axis === 0 ? "batch" : null)) ?? null,
      });
    }
    const rename = (value: Value): Value => renamed.get(value) ?? value;
    const nodes: readonly Node[] = leadingTo(this.#builder.nodes, renamed.keys()).map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    }));
    const cut = cutOff(nodes, [...renamed.values()], ({ inputs: given }) =>
      given.some((input) => this.#weights.has(input)),
    );
    if (cut.length > 0) this.notes.push(cutOffNote(cut));
    const used = new Set(nodes.flatMap((node) => node.inputs));
    const constants = new Map<string, Constant>(this.#builder.constants);
    for (const [key, constant] of this.#weights) if (used.has(key)) constants.set(key, constant);
    return { name, path: "", parent: null, inputs: this.#inputs, outputs: infos, constants, nodes };
  }
}

/** Most layers that a note names. */
const maxNamed = 8;

function cutOffNote(names: readonly string[]): string {
  const listed = names.slice(0, maxNamed).map((name) => `"${name}"`);
  const more = names.length > maxNamed ? [`${names.length - maxNamed} more`] : [];
  return `No derivative reaches ${[...listed, ...more].join(", ")}: all that comes of them goes through what is not lowered.`;
}

/** Shape that tensors broadcast to; null where that of one is not known at all. */
function broadcast(shapes: readonly Lowered["shape"][]): Lowered["shape"] {
  const rank = Math.max(...shapes.map((shape) => shape?.length ?? Infinity));
  if (!Number.isFinite(rank)) return null;
  return Array.from({ length: rank }, (_, axis) => {
    const dims = shapes.map((shape) => {
      const at = axis - (rank - shape!.length);
      return at < 0 ? 1 : (shape![at] ?? null);
    });
    return dims.find((dim) => dim !== 1 && dim !== null) ?? (dims.includes(null) ? null : 1);
  });
}
