/** What a rule sees of the node it differentiates. */
import type { DType } from "../../protocol/model.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import type { Graph, Node } from "../graph/graph.js";
import { literalValues } from "../graph/literal.js";
import type { ValueTypes } from "../graph/value-type.js";
import type { Cotangents } from "./cotangents.js";
import type { Kernels } from "../runtime/kernels.js";
import { NoGradient, type Site } from "./rule.js";

interface Circumstances {
  readonly types: ValueTypes;
  readonly kernels: Kernels;
  readonly twice: boolean;
}

export class NodeSite implements Site {
  readonly kernels: Kernels;
  readonly twice: boolean;
  readonly #types: ValueTypes;
  #node: Node;

  constructor(
    node: Node,
    readonly graph: Graph,
    readonly b: GraphBuilder,
    readonly cotangents: Cotangents,
    readonly wanted: readonly boolean[],
    { types, kernels, twice }: Circumstances,
  ) {
    this.#node = node;
    this.#types = types;
    this.kernels = kernels;
    this.twice = twice;
  }

  /** The node, with the outputs that the rule asked for. */
  get node(): Node {
    return this.#node;
  }

  get arity(): number {
    let { length } = this.#node.inputs;
    while (length > 0 && this.#node.inputs[length - 1] === "") length--;
    return length;
  }

  has(i: number): boolean {
    return (this.#node.inputs[i] ?? "") !== "";
  }

  input(i: number): Value {
    const value = this.#node.inputs[i] ?? "";
    if (value === "") throw new NoGradient(`input ${i} is missing`);
    return value;
  }

  output(i = 0): Value {
    const given = this.#node.outputs[i] ?? "";
    if (given !== "") return given;
    const outputs = Array.from({ length: Math.max(i + 1, this.#node.outputs.length) }, (_, at) =>
      at === i ? this.b.fresh(`${this.#node.op}_output${i}`) : (this.#node.outputs[at] ?? ""),
    );
    this.#node = { ...this.#node, outputs };
    return outputs[i]!;
  }

  wants(i: number): boolean {
    return this.wanted[i] === true;
  }

  cotangent(i: number): Value | null {
    const output = this.#node.outputs[i] ?? "";
    return output !== "" && this.cotangents.has(output) ? this.cotangents.total(output) : null;
  }

  get dy(): Value {
    const known = this.#node.outputs.map((_, i) => this.cotangent(i));
    if (known[0] == null || known.slice(1).some((value) => value !== null)) {
      throw new NoGradient(`only the gradient of the first output of ${this.#node.op} is known`);
    }
    return known[0];
  }

  shape(value: Value): readonly number[] {
    const shape = this.#types.get(value)?.shape ?? this.graph.constants.get(value)?.tensor.shape ?? null;
    if (shape === null) throw new NoGradient(`the shape of "${value}" depends on data`);
    return shape;
  }

  inputShape(i: number): readonly number[] {
    return this.shape(this.input(i));
  }

  outputShape(i = 0): readonly number[] {
    return this.shape(this.#node.outputs[i] ?? "");
  }

  dtype(value: Value): DType {
    return this.#types.get(value)?.dtype ?? this.graph.constants.get(value)?.tensor.dtype ?? "other";
  }

  constant(i: number): readonly number[] | null {
    const constant = this.graph.constants.get(this.input(i));
    return constant === undefined ? null : literalValues(constant);
  }

  int(name: string, fallback: number): number {
    const attribute = this.#node.attributes.get(name);
    return attribute?.kind === "int" ? Number(attribute.value) : fallback;
  }

  float(name: string, fallback: number): number {
    const attribute = this.#node.attributes.get(name);
    return attribute?.kind === "float" ? attribute.value : fallback;
  }

  string(name: string, fallback: string): string {
    const attribute = this.#node.attributes.get(name);
    return attribute?.kind === "string" ? new TextDecoder().decode(attribute.value) : fallback;
  }

  ints(name: string): readonly number[] | null {
    const attribute = this.#node.attributes.get(name);
    return attribute?.kind === "ints" ? attribute.value.map(Number) : null;
  }

  floats(name: string): readonly number[] | null {
    const attribute = this.#node.attributes.get(name);
    return attribute?.kind === "floats" ? attribute.value : null;
  }

  axis(axis: number, rank: number): number {
    return axis < 0 ? axis + rank : axis;
  }
}
