/**
 * Adds nodes to a graph. Values are names. Asking twice for the same operator on the same inputs gives the same value,
 * so that rules need not share what they compute by hand.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { attributes, type AttributeWord, literal, type LiteralType } from "./literal.js";
import type { Attribute, Constant, Node } from "./graph.js";

export type Value = string;

/** More about a node than its inputs and attributes. */
export interface NodeOptions {
  readonly domain?: string;
}

export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Constant>();
  /** Domains besides ONNX's own that nodes were added of. */
  readonly #made = new Map<string, readonly Value[]>();
  readonly #literals = new Map<string, Value>();
  readonly #taken: Set<string>;
  #count = 0;

  /**
   * @param prefix begins the name of every value made here.
   * @param taken names that exist already.
   */
  constructor(
    readonly prefix: string,
    taken: Iterable<string>,
  ) {
    this.#taken = new Set(taken);
  }

  /** A name that nothing has. */
  fresh(stem: string): Value {
    for (;;) {
      const name = `${this.prefix}${stem}_${this.#count++}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }

  /** The outputs of an operator with `outputs` outputs. */
  outputs(
    op: string,
    inputs: readonly Value[],
    outputs: number,
    words: Readonly<Record<string, AttributeWord>> = {},
    { domain = "" }: NodeOptions = {},
  ): readonly Value[] {
    const key = JSON.stringify([domain, op, outputs, inputs, words]);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = Array.from({ length: outputs }, () => this.fresh(op));
    this.node({ name: made[0]!, op, domain, inputs, outputs: made, attributes: attributes(words) });
    this.#made.set(key, made);
    return made;
  }

  /** The output of an operator with one output. */
  op(
    op: string,
    inputs: readonly Value[],
    words: Readonly<Record<string, AttributeWord>> = {},
    options: NodeOptions = {},
  ): Value {
    return this.outputs(op, inputs, 1, words, options)[0]!;
  }

  /** Adds a node as it is. */
  node(node: Node): void {
    this.nodes.push(node);
  }

  /** A constant tensor. */
  literal(dtype: LiteralType, shape: readonly number[], values: readonly number[] | Float32Array): Value {
    const key =
      values.length > 64
        ? null
        : `${dtype}[${shape.join()}]${Array.from(values, (v) => (Object.is(v, -0) ? "-0" : v)).join()}`;
    const known = key === null ? undefined : this.#literals.get(key);
    if (known !== undefined) return known;
    const name = this.fresh("c");
    this.constants.set(name, literal(name, dtype, shape, values));
    if (key !== null) this.#literals.set(key, name);
    return name;
  }

  /**
   * A list of integers (int64, rank 1): shapes, axes, pads.
   * @throws PruneScopeError `malformed-model` for what is no integer: attributes and shapes of the model then contradict each other.
   */
  ints(values: readonly number[]): Value {
    if (!values.every(Number.isInteger)) {
      throw new PruneScopeError(
        "malformed-model",
        `Shapes and attributes of this model contradict each other: a length comes out as ${values.find((value) => !Number.isInteger(value))}. Check it with onnx.checker.`,
      );
    }
    return this.literal("int64", [values.length], values);
  }

  /** A float scalar. */
  scalar(value: number): Value {
    return this.literal("float", [], [value]);
  }

  add = (a: Value, b: Value): Value => this.op("Add", [a, b]);
  sub = (a: Value, b: Value): Value => this.op("Sub", [a, b]);
  mul = (a: Value, b: Value): Value => this.op("Mul", [a, b]);
  div = (a: Value, b: Value): Value => this.op("Div", [a, b]);
  neg = (a: Value): Value => this.op("Neg", [a]);
  /** a · factor. */
  scale = (a: Value, factor: number): Value => (factor === 1 ? a : this.mul(a, this.scalar(factor)));
  reshape = (a: Value, shape: readonly number[]): Value => this.op("Reshape", [a, this.ints(shape)], { allowzero: 1 });
  transpose = (a: Value, perm: readonly number[]): Value => this.op("Transpose", [a], { perm });
  expand = (a: Value, shape: readonly number[]): Value => this.op("Expand", [a, this.ints(shape)]);
  /** Sum over `axes`; over none of them it is `a` itself. */
  reduceSum = (a: Value, axes: readonly number[], keepdims = false): Value =>
    axes.length === 0 ? a : this.op("ReduceSum", [a, this.ints(axes)], { keepdims: keepdims ? 1 : 0 });
  reduceMean = (a: Value, axes: readonly number[], keepdims = false): Value =>
    axes.length === 0 ? a : this.op("ReduceMean", [a, this.ints(axes)], { keepdims: keepdims ? 1 : 0 });
  /** a · b over the last two axes, either side transposed (ONNX Runtime's FusedMatMul). */
  matMul = (
    a: Value,
    b: Value,
    { transA = false, transB = false, alpha = 1 }: { transA?: boolean; transB?: boolean; alpha?: number } = {},
  ): Value =>
    transA || transB || alpha !== 1
      ? this.op(
          "FusedMatMul",
          [a, b],
          { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } },
          { domain: "com.microsoft" },
        )
      : this.op("MatMul", [a, b]);
  concat = (values: readonly Value[], axis: number): Value =>
    values.length === 1 ? values[0]! : this.op("Concat", values, { axis });
  /** Sum of one or more values of the same shape. */
  sum = (values: readonly Value[]): Value =>
    values.length === 1 ? values[0]! : values.length === 2 ? this.add(values[0]!, values[1]!) : this.op("Sum", values);
  /** Elements [starts, ends) along `axes`. */
  slice = (
    a: Value,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): Value => this.op("Slice", [a, this.ints(starts), this.ints(ends), this.ints(axes), this.ints(steps)]);
  /** Zeros before and after each axis; negative numbers cut off. */
  pad = (a: Value, before: readonly number[], after: readonly number[]): Value =>
    this.op("Pad", [a, this.ints([...before, ...after])]);
  zeros = (shape: readonly number[]): Value => this.op("ConstantOfShape", [this.ints(shape)]);
  where = (condition: Value, a: Value, b: Value): Value => this.op("Where", [condition, a, b]);
  cast = (a: Value, to: number): Value => this.op("Cast", [a], { to });
}

/** Attributes of a node to copy onto another. */
export type Attributes = ReadonlyMap<string, Attribute>;
