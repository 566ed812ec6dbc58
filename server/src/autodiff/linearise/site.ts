/** What a linear rule sees of the node it linearises. */
import type { DType } from "../../../protocol/model.js";
import type { GraphBuilder, Value } from "../../graph/builder.js";
import type { Constant, Node } from "../../graph/graph.js";
import { castTo, literalValues } from "../../graph/literal.js";
import type { ValueTypes } from "../../graph/value-type.js";
import type { Exponents } from "./exponents.js";
import { type Image, type LinearSite, NoLinearForm, type Signal } from "./rule.js";

/** What a site knows of the graph around its node. */
export interface Surroundings {
  readonly types: ValueTypes;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly producers: ReadonlyMap<string, Node>;
  readonly images: ReadonlyMap<string, Image>;
  /** Values that go to outputs of the graph only. */
  readonly final: ReadonlySet<string>;
  readonly holdConstant: (value: Value, why: string) => void;
}

/** Operators that a mean passes on its way to the subtraction. */
const carriers = new Set(["Cast", "Div", "Expand", "Identity", "Mul", "Reshape", "Squeeze", "Unsqueeze"]);
const reductions = new Set(["GlobalAveragePool", "ReduceMax", "ReduceMean", "ReduceSum"]);

export class NodeLinearSite implements LinearSite {
  constructor(
    readonly node: Node,
    readonly b: GraphBuilder,
    readonly exponents: Exponents,
    readonly around: Surroundings,
  ) {}

  get arity(): number {
    let { length } = this.node.inputs;
    while (length > 0 && this.node.inputs[length - 1] === "") length--;
    return length;
  }

  image(i: number): Image | null {
    return this.around.images.get(this.node.inputs[i] ?? "") ?? null;
  }

  signal(i: number): Signal {
    const image = this.image(i);
    if (image?.kind !== "signal") throw new NoLinearForm(`its input ${i} does not come from the data`);
    return image;
  }

  magnitude(i: number): Value {
    const image = this.image(i);
    if (image?.kind !== "known") throw new NoLinearForm(`its input ${i} is computed from the data`);
    const float = this.around.types.get(this.node.inputs[i]!)?.dtype === "float";
    const value = float ? image.value : this.b.cast(image.value, castTo("float"));
    return image.nonNegative ? value : this.b.op("Abs", [value]);
  }

  constant(i: number): readonly number[] | null {
    const constant = this.around.constants.get(this.node.inputs[i] ?? "");
    return constant === undefined ? null : literalValues(constant);
  }

  shape(i: number): readonly number[] {
    return this.#shape(this.node.inputs[i] ?? "");
  }

  outputShape(i = 0): readonly number[] {
    return this.#shape(this.node.outputs[i] ?? "");
  }

  int(name: string, fallback: number): number {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === "int" ? Number(attribute.value) : fallback;
  }

  float(name: string, fallback: number): number {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === "float" ? attribute.value : fallback;
  }

  string(name: string, fallback: string): string {
    const attribute = this.node.attributes.get(name);
    return attribute?.kind === "string" ? new TextDecoder().decode(attribute.value) : fallback;
  }

  same(inputs: readonly Value[]): readonly Value[] {
    const outputs = this.node.outputs.map((output) => (output === "" ? "" : this.b.fresh(this.node.op)));
    this.b.node({ ...this.node, name: outputs.find((output) => output !== "") ?? "", inputs, outputs });
    return outputs;
  }

  get isFinal(): boolean {
    return this.around.final.has(this.node.outputs[0] ?? "");
  }

  isReductionOf(i: number, of: number): boolean {
    const source = this.#carried(this.node.inputs[of] ?? "");
    let reduced = false;
    for (let name = this.node.inputs[i] ?? ""; ;) {
      if (reduced && this.#carried(name) === source) return true;
      const node = this.around.producers.get(name);
      if (node === undefined) return false;
      if (!reduced && reductions.has(node.op)) reduced = true;
      else if (!carriers.has(node.op)) return false;
      name = node.inputs.find((input) => this.around.images.get(input)?.kind === "signal") ?? "";
    }
  }

  holdConstant(i: number, why: string): void {
    this.around.holdConstant(this.node.inputs[i]!, why);
  }

  outputType(): DType {
    return this.around.types.get(this.node.outputs[0] ?? "")?.dtype ?? "other";
  }

  /** The value that `name` carries under another name. */
  #carried(name: string): string {
    const node = this.around.producers.get(name);
    return node !== undefined && (node.op === "Identity" || node.op === "Cast") ? this.#carried(node.inputs[0]!) : name;
  }

  #shape(value: Value): readonly number[] {
    const shape = this.around.types.get(value)?.shape ?? null;
    if (shape === null) throw new NoLinearForm(`the shape of "${value}" depends on data`);
    return shape;
  }
}
