/**
 * Writes a network layer by layer. All numbers come from one seeded stream in the order of the calls, as float32 from
 * the start, so that networks of full size are made in a second or two.
 *
 * Weights are normal with variance gain / fan-in. The writer carries along the expected mean square of every signal
 * (independent, centred terms), so that the stored statistics of BatchNormalization are about those that training
 * would have stored, and signals stay of order 1 through any depth.
 */
import { create } from "@bufbuild/protobuf";
import { type NodeProto, type TensorProto, TensorProtoSchema } from "onnx-buf";
import { elementCount } from "../../../server/src/graph/tensor.js";
import { uniform } from "../arrays.js";
import { type AttributeValue, model, modelBytes, node } from "../model-builder.js";
import { tensor, value } from "../model-tensors.js";
import type { Network } from "./network.js";

/** A value on its way through the network: [batch, channels, size, size], or [batch, channels] where size is 1. */
export interface Signal {
  readonly name: string;
  readonly channels: number;
  readonly size: number;
  /** Expected mean square of its elements. */
  readonly power: number;
}

export interface ConvOptions {
  readonly kernel?: number;
  readonly stride?: number;
  /** On every side; by default what keeps the size at stride 1. */
  readonly pad?: number;
  readonly dilation?: number;
  readonly group?: number;
  readonly bias?: boolean;
  /** Variance of the weights times fan-in: 2 behind a ReLU, 1 behind nothing. */
  readonly gain?: number;
}

export interface ConvTransposeOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly pad?: number;
  readonly outputPadding?: number;
}

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly pad?: number;
  readonly ceil?: boolean;
}

type Attributes = Readonly<Record<string, AttributeValue>>;

export class NetworkWriter {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #random: () => number;
  #count = 0;

  constructor(seed: number) {
    this.#random = uniform(seed);
  }

  /** `count` normal numbers with this standard deviation, by Box and Muller. */
  normals(count: number, deviation = 1): Float32Array<ArrayBuffer> {
    const made = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log(1 - this.#random()));
      const angle = 2 * Math.PI * this.#random();
      made[i] = radius * Math.cos(angle);
      if (i + 1 < count) made[i + 1] = radius * Math.sin(angle);
    }
    return made;
  }

  /** A float constant of the file. @returns its name. */
  constant(name: string, shape: readonly number[], data: Float32Array<ArrayBuffer>): string {
    const rawData = new Uint8Array(data.buffer);
    this.#initializers.push(create(TensorProtoSchema, { name, dataType: 1, dims: shape.map(BigInt), rawData }));
    return name;
  }

  /** A float constant of `shape` with independent normal elements around `mean`. */
  parameter(name: string, shape: readonly number[], deviation: number, mean = 0): string {
    const data = this.normals(elementCount(shape), deviation);
    if (mean !== 0) for (let i = 0; i < data.length; i++) data[i]! += mean;
    return this.constant(name, shape, data);
  }

  scalar(number: number): string {
    return this.constant(this.fresh("scalar"), [], Float32Array.of(number));
  }

  /** A list of int64: shapes, axes, pads. */
  ints(numbers: readonly number[]): string {
    const name = this.fresh("ints");
    this.#initializers.push(tensor(name, "int64", [numbers.length], numbers));
    return name;
  }

  /** One int64 without axes: an index. */
  index(number: number): string {
    const name = this.fresh("index");
    this.#initializers.push(tensor(name, "int64", [], [number]));
    return name;
  }

  fresh(stem: string): string {
    return `${stem}${this.#count++}`;
  }

  /** Adds a node with one output. @returns the output's name. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.split(op, inputs, 1, attributes)[0]!;
  }

  /** Adds a node with several outputs. */
  split(op: string, inputs: readonly string[], outputs: number, attributes: Attributes = {}): readonly string[] {
    const name = this.fresh(op.toLowerCase());
    const made = Array.from({ length: outputs }, (_, i) => (outputs === 1 ? `${name}.out` : `${name}.out${i}`));
    this.#nodes.push(node(op, inputs, made, attributes, { name }));
    return made;
  }

  /** A node on one signal that keeps its shape. */
  map(x: Signal, op: string, { power = x.power, inputs = [] as readonly string[], attributes = {} } = {}): Signal {
    return { ...x, power, name: this.op(op, [x.name, ...inputs], attributes) };
  }

  relu(x: Signal): Signal {
    return this.map(x, "Relu", { power: x.power / 2 });
  }

  conv(x: Signal, channels: number, options: ConvOptions = {}): Signal {
    const { kernel = 3, stride = 1, dilation = 1, group = 1, bias = false, gain = 2 } = options;
    const span = dilation * (kernel - 1);
    const { pad = span / 2 } = options;
    const stem = this.fresh("conv");
    const fanIn = (x.channels / group) * kernel ** 2;
    const shape = [channels, x.channels / group, kernel, kernel];
    const inputs = [x.name, this.parameter(`${stem}.weight`, shape, Math.sqrt(gain / fanIn))];
    if (bias) inputs.push(this.parameter(`${stem}.bias`, [channels], 0.1));
    const name = this.op("Conv", inputs, {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [dilation, dilation],
      group,
    });
    return { name, channels, size: Math.floor((x.size + 2 * pad - span - 1) / stride) + 1, power: x.power * gain };
  }

  convTranspose(x: Signal, channels: number, options: ConvTransposeOptions): Signal {
    const { kernel, stride, pad = 0, outputPadding = 0 } = options;
    const stem = this.fresh("up");
    // Every output element sees kernel² / stride² elements of each input channel.
    const deviation = Math.sqrt((2 * stride ** 2) / (x.channels * kernel ** 2));
    const weight = this.parameter(`${stem}.weight`, [x.channels, channels, kernel, kernel], deviation);
    const name = this.op("ConvTranspose", [x.name, weight, this.parameter(`${stem}.bias`, [channels], 0.1)], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      output_padding: [outputPadding, outputPadding],
    });
    const size = (x.size - 1) * stride - 2 * pad + kernel + outputPadding;
    return { name, channels, size, power: 2 * x.power };
  }

  /** Stored statistics near the expected ones, off by up to half; scales around 1, every sixteenth of them negative. */
  batchNorm(x: Signal): Signal {
    const stem = this.fresh("bn");
    const shape = [x.channels];
    const scale = this.normals(x.channels, 0.2);
    const variance = new Float32Array(x.channels);
    for (let i = 0; i < x.channels; i++) {
      scale[i] = (this.#random() < 1 / 16 ? -1 : 1) * (1 + scale[i]!);
      variance[i] = x.power * (0.5 + this.#random());
    }
    return this.map(x, "BatchNormalization", {
      power: 1,
      inputs: [
        this.constant(`${stem}.scale`, shape, scale),
        this.parameter(`${stem}.bias`, shape, 0.1),
        this.parameter(`${stem}.mean`, shape, 0.1 * Math.sqrt(x.power)),
        this.constant(`${stem}.var`, shape, variance),
      ],
      attributes: { epsilon: 1e-5 },
    });
  }

  add(a: Signal, b: Signal): Signal {
    return { ...a, name: this.op("Add", [a.name, b.name]), power: a.power + b.power };
  }

  /** Along the channels. */
  concat(parts: readonly Signal[]): Signal {
    const channels = parts.reduce((sum, part) => sum + part.channels, 0);
    const power = parts.reduce((sum, part) => sum + part.power * part.channels, 0) / channels;
    const names = parts.map((part) => part.name);
    return { name: this.op("Concat", names, { axis: 1 }), channels, size: parts[0]!.size, power };
  }

  pool(x: Signal, op: "AveragePool" | "MaxPool", { kernel, stride, pad = 0, ceil = false }: PoolOptions): Signal {
    const steps = (x.size + 2 * pad - kernel) / stride;
    const name = this.op(op, [x.name], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      ...(ceil ? { ceil_mode: 1 } : {}),
    });
    return { ...x, name, size: (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1 };
  }

  /** [batch, channels]: the mean over all pixels. */
  globalPool(x: Signal): Signal {
    const pooled = this.op("GlobalAveragePool", [x.name]);
    return { ...x, name: this.op("Flatten", [pooled]), size: 1 };
  }

  /** A Gemm on [batch, channels] with weight [out, in]. */
  linear(x: Signal, channels: number, { gain = 1, biasDeviation = 0 } = {}): Signal {
    const stem = this.fresh("fc");
    const weight = this.parameter(`${stem}.weight`, [channels, x.channels], Math.sqrt(gain / x.channels));
    const bias = this.parameter(`${stem}.bias`, [channels], biasDeviation);
    return { name: this.op("Gemm", [x.name, weight, bias], { transB: 1 }), channels, size: 1, power: gain * x.power };
  }

  /** The network behind `logits`, with normal inputs `x` of `shape` and random labels, `pixels` of them a sample. */
  finish(parts: {
    readonly opset: number;
    readonly shape: readonly number[];
    readonly logits: Signal;
    readonly pixels?: readonly number[];
  }): Network {
    const { opset, shape, logits, pixels = [] } = parts;
    const [batch, ...sample] = shape as [number, ...number[]];
    const labelShape = [batch, ...pixels];
    const made = model({
      opset,
      graph: {
        nodes: this.#nodes,
        inputs: [value("x", "float", ["batch", ...sample])],
        outputs: [value(logits.name, "float", ["batch", logits.channels, ...pixels])],
        initializers: this.#initializers,
      },
    });
    const classOf = (): bigint => BigInt(Math.floor(this.#random() * logits.channels));
    return {
      bytes: modelBytes(made),
      feeds: { x: { data: this.normals(elementCount(shape)), shape } },
      labels: { data: BigInt64Array.from({ length: elementCount(labelShape) }, classOf), shape: labelShape },
      classes: logits.channels,
      output: logits.name,
    };
  }
}

/** The input of an image network: `x`, [batch, 3, size, size], standard normal. */
export function image(size: number): Signal {
  return { name: "x", channels: 3, size, power: 1 };
}
