/**
 * Networks that know their own paths: every layer is written twice, as ONNX nodes and as edges between units (channels,
 * features, features at a time), so that paths can be counted without the product. Whole numbers of any size: BigInt.
 */
import type { NodeProto, TensorProto } from "onnx-buf";
import { type AttributeValue, model, node, type TestModel } from "./model-builder.js";
import { normals, wholes } from "./model-elements.js";
import { tensor, value } from "./model-tensors.js";

/** A value: the units that stand for its channels or features; `size` is its height and width, 0 for features. */
export interface PathSignal {
  readonly name: string;
  readonly units: readonly number[];
  readonly size: number;
}

interface Edge {
  readonly from: number;
  readonly to: number;
  /** The weight's name and element; null for a way without a weight. */
  readonly weight: readonly [name: string, index: number] | null;
}

/** Kept elements by the weight's name. */
export type Kept = Readonly<Record<string, Uint8Array>>;

/** What counting paths finds. */
export interface Counted {
  readonly connected: boolean;
  /** 1 where an element lies on a path. */
  readonly effective: Kept;
}

export interface WindowOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export class PathNetwork {
  readonly #nodes: NodeProto[] = [];
  readonly #constants: TensorProto[] = [];
  readonly #edges: Edge[] = [];
  readonly #inputs: PathSignal[] = [];
  readonly #outputs: PathSignal[] = [];
  readonly #weights = new Map<string, Float32Array>();
  #units = 0;
  #values = 0;

  /** @param whole weights are whole numbers from −3 to 3: many ties, and zeros. */
  constructor(
    readonly seed: number,
    readonly whole = false,
  ) {}

  /** Elements by the weight's name. */
  get weights(): Readonly<Record<string, Float32Array>> {
    return Object.fromEntries(this.#weights);
  }

  input(channels: number, size = 0): PathSignal {
    const signal = { name: `x${this.#inputs.length}`, units: this.#fresh(channels), size };
    this.#inputs.push(signal);
    return signal;
  }

  /** [1, inputs] times a weight [inputs, outputs], or as Gemm with [outputs, inputs]. */
  dense(x: PathSignal, outputs: number, { gemm = false } = {}): PathSignal {
    const inputs = x.units.length;
    const w = this.#weight(gemm ? [outputs, inputs] : [inputs, outputs]);
    const units = this.#fresh(outputs);
    x.units.forEach((from, i) => {
      units.forEach((to, o) => this.#edge(from, to, w, gemm ? o * inputs + i : i * outputs + o));
    });
    const name = gemm ? this.#op("Gemm", [x.name, w], { transB: 1 }) : this.#op("MatMul", [x.name, w]);
    return { name, units, size: 0 };
  }

  conv(x: PathSignal, channels: number, options: WindowOptions = {}): PathSignal {
    const { kernel = 3, stride = 1, pad = 1, group = 1 } = options;
    const each = x.units.length / group;
    const taps = kernel ** 2;
    const w = this.#weight([channels, each, kernel, kernel]);
    const units = this.#fresh(channels);
    units.forEach((to, k) => {
      const first = Math.floor(k / (channels / group)) * each;
      for (let i = 0; i < each * taps; i++)
        this.#edge(x.units[first + Math.floor(i / taps)]!, to, w, k * each * taps + i);
    });
    const name = this.#op("Conv", [x.name, w], { strides: [stride, stride], pads: [pad, pad, pad, pad], group });
    return { name, units, size: Math.floor((x.size + 2 * pad - kernel) / stride) + 1 };
  }

  convTranspose(x: PathSignal, channels: number, options: WindowOptions = {}): PathSignal {
    const { kernel = 2, stride = 2, group = 1 } = options;
    const each = channels / group;
    const taps = kernel ** 2;
    const w = this.#weight([x.units.length, each, kernel, kernel]);
    const units = this.#fresh(channels);
    x.units.forEach((from, c) => {
      const first = Math.floor(c / (x.units.length / group)) * each;
      for (let i = 0; i < each * taps; i++)
        this.#edge(from, units[first + Math.floor(i / taps)]!, w, c * each * taps + i);
    });
    const name = this.#op("ConvTranspose", [x.name, w], { strides: [stride, stride], group });
    return { name, units, size: (x.size - 1) * stride + kernel };
  }

  /** An Elman layer over [steps, 1, features]: the hidden units at every step; features are those of one step. */
  rnn(steps: number, features: number, hidden: number): PathSignal {
    const x = { name: `x${this.#inputs.length}`, units: this.#fresh(steps * features), size: 0 };
    this.#inputs.push(x);
    this.#shapes.set(x.name, [steps, 1, features]);
    const w = this.#weight([1, hidden, features]);
    const r = this.#weight([1, hidden, hidden]);
    const states = range(steps).map(() => this.#fresh(hidden));
    states.forEach((state, t) => {
      state.forEach((to, h) => {
        for (let f = 0; f < features; f++) this.#edge(x.units[t * features + f]!, to, w, h * features + f);
        states[t - 1]?.forEach((from, g) => {
          this.#edge(from, to, r, h * hidden + g);
        });
      });
    });
    const all = this.#fresh1("h");
    const last = this.#fresh1("last");
    this.#nodes.push(node("RNN", [x.name, w, r], [all, last], { hidden_size: hidden }));
    const shape = this.#constant(tensor(this.#fresh1("shape"), "int64", [2], [1, hidden]));
    return { name: this.#op("Reshape", [last, shape]), units: states.at(-1)!, size: 0 };
  }

  /** BatchNormalization with these scales: a channel whose scale is 0 ends there. */
  norm(x: PathSignal, scales: readonly number[]): PathSignal {
    const list = (values: readonly number[]): string =>
      this.#constant(tensor(this.#fresh1("c"), "float", [values.length], values));
    const zeros = list(scales.map(() => 0));
    const name = this.#op("BatchNormalization", [x.name, list(scales), zeros, zeros, list(scales.map(() => 1))]);
    const units = this.#fresh(x.units.length);
    x.units.forEach((from, c) => {
      if (scales[c] !== 0) this.#edge(from, units[c]!, null, 0);
    });
    return { ...x, name, units };
  }

  /** An operator that keeps channels apart and drops none. */
  map(x: PathSignal, op: string, attributes: Readonly<Record<string, AttributeValue>> = {}, size = x.size): PathSignal {
    return { ...x, name: this.#op(op, [x.name], attributes), size };
  }

  pool(x: PathSignal, op: "AveragePool" | "MaxPool"): PathSignal {
    return this.map(x, op, { kernel_shape: [2, 2], strides: [2, 2] }, Math.floor(x.size / 2));
  }

  /** Twice as high and wide. */
  upsample(x: PathSignal, mode: string): PathSignal {
    const scales = this.#constant(tensor(this.#fresh1("scales"), "float", [4], [1, 1, 2, 2]));
    return { ...x, name: this.#op("Resize", [x.name, "", scales], { mode }), size: 2 * x.size };
  }

  /** Add, Sub, Max, Min: every input is a way. */
  join(op: string, a: PathSignal, b: PathSignal): PathSignal {
    const units = this.#fresh(a.units.length);
    for (const side of [a, b]) side.units.forEach((from, c) => this.#edge(from, units[c]!, null, 0));
    return { ...a, name: this.#op(op, [a.name, b.name]), units };
  }

  concat(a: PathSignal, b: PathSignal): PathSignal {
    return { ...a, name: this.#op("Concat", [a.name, b.name], { axis: 1 }), units: [...a.units, ...b.units] };
  }

  flatten(x: PathSignal): PathSignal {
    const units = x.units.flatMap((unit) => Array<number>(x.size ** 2).fill(unit));
    return { name: this.#op("Flatten", [x.name]), units, size: 0 };
  }

  output(x: PathSignal): this {
    this.#outputs.push(x);
    return this;
  }

  made(): TestModel {
    const shape = ({ name, units, size }: PathSignal): readonly number[] =>
      this.#shapes.get(name) ?? (size === 0 ? [1, units.length] : [1, units.length, size, size]);
    return model({
      graph: {
        nodes: this.#nodes,
        inputs: this.#inputs.map((x) => value(x.name, "float", shape(x))),
        outputs: this.#outputs.map(({ name }) => value(name, "float", null)),
        initializers: this.#constants,
      },
    });
  }

  /** Multiplies a weight. */
  scale(name: string, factor: number): void {
    const elements = this.#weights.get(name)!;
    elements.forEach((w, i) => (elements[i] = w * factor));
    const at = this.#constants.findIndex((constant) => constant.name === name);
    this.#constants[at] = tensor(name, "float", this.#constants[at]!.dims.map(Number), [...elements]);
  }

  /** Elements of each weight that are not 0. */
  whatIsNotZero(): Kept {
    return this.kept((_, w) => w !== 0);
  }

  kept(keep: (name: string, w: number, index: number) => boolean): Kept {
    return Object.fromEntries(
      [...this.#weights].map(([name, w]) => [name, Uint8Array.from(w, (one, i) => (keep(name, one, i) ? 1 : 0))]),
    );
  }

  /** Counts the paths through every unit, forwards and backwards; edges are in topological order. */
  count(kept: Kept): Counted {
    const open = this.#edges.filter(({ weight }) => weight === null || kept[weight[0]]![weight[1]] === 1);
    const from = Array<bigint>(this.#units).fill(0n);
    const to = Array<bigint>(this.#units).fill(0n);
    for (const x of this.#inputs) for (const unit of x.units) from[unit] = 1n;
    for (const y of this.#outputs) for (const unit of y.units) to[unit] = 1n;
    for (const edge of open) from[edge.to]! += from[edge.from]!;
    for (const edge of [...open].reverse()) to[edge.from]! += to[edge.to]!;
    const effective = this.kept(() => false);
    for (const { weight, from: a, to: b } of open)
      if (weight !== null && from[a]! * to[b]! > 0n) effective[weight[0]]![weight[1]] = 1;
    return { connected: this.#outputs.some(({ units }) => units.some((unit) => from[unit]! > 0n)), effective };
  }

  readonly #shapes = new Map<string, readonly number[]>();

  #fresh(count: number): number[] {
    this.#units += count;
    return range(count).map((i) => this.#units - count + i);
  }

  #fresh1(stem: string): string {
    return `${stem}${this.#values++}`;
  }

  #edge(from: number, to: number, weight: string | null, index: number): void {
    this.#edges.push({ from, to, weight: weight === null ? null : [weight, index] });
  }

  #op(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.#fresh1(op.toLowerCase());
    this.#nodes.push(node(op, inputs, [output], attributes, { name: output }));
    return output;
  }

  #constant(proto: TensorProto): string {
    this.#constants.push(proto);
    return proto.name;
  }

  #weight(shape: readonly number[]): string {
    const name = `w${this.#weights.size}`;
    const count = shape.reduce((product, dim) => product * dim, 1);
    const seed = 100 * this.seed + this.#weights.size;
    const elements = Float32Array.from(this.whole ? wholes(seed, count, -3, 3) : normals(seed, count));
    this.#weights.set(name, elements);
    return this.#constant(tensor(name, "float", shape, [...elements]));
  }
}
