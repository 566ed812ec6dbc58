/**
 * One network written three times, layer by layer: as ONNX (channels first, kernels [out, in, …]), as a layers model and
 * as a graph model (channels last, kernels [height, width, in, out]). Every weight knows where its elements lie in the
 * ONNX file, so that scores and masks of the three can be compared element by element.
 */
import { input as inputLayer, layers, model as layersOf, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { NodeProto, TensorProto } from "onnx-buf";
import { elementCount } from "../../../server/src/graph/tensor.js";
import { uniform } from "../arrays.js";
import { normal } from "../draws.js";
import { type AttributeValue, model, node as onnxNode, type TestModel } from "../model-builder.js";
import { tensor, value } from "../model-tensors.js";
import type { TfjsModel } from "./folder.js";
import { graphModel, type GraphAttribute, type GraphNode, node, ofType, placeholder } from "./graph-model.js";
import { layersModel } from "./layers-model.js";
import { ints, type TfjsWeight, weight } from "./weights.js";

/** A value on its way through the three networks. `shape` is the layers model's, without the batch. */
export interface TwinSignal {
  readonly onnx: string;
  readonly graph: string;
  readonly symbolic: SymbolicTensor;
  readonly shape: readonly number[];
  /** Behind a Flatten: for every feature of the tfjs models its place among ONNX's. */
  readonly features?: readonly number[];
}

/** A kernel of the three models, in the network's order. */
export interface TwinWeight {
  /** In the tfjs models. */
  readonly name: string;
  readonly onnx: string;
  /** For every element of the stored tfjs weight its index in the ONNX tensor. */
  readonly places: Int32Array;
}

export interface Twin {
  readonly onnx: TestModel;
  readonly layers: TfjsModel;
  /** Null where a layer has no operator of its own: LSTM. */
  readonly graph: TfjsModel | null;
  readonly weights: readonly TwinWeight[];
}

/** Writes the network that `build` makes behind an input called x of this shape, without the batch. */
export async function twin(
  shape: readonly number[],
  build: (w: TwinWriter, x: TwinSignal) => TwinSignal,
  seed = 1,
): Promise<Twin> {
  const writer = new TwinWriter(seed);
  let output: TwinSignal | undefined;
  const made = await layersModel(
    () => {
      const symbolic = inputLayer({ name: "x", shape: [...shape] });
      output = build(writer, { onnx: "x", graph: "x", symbolic, shape });
      return layersOf({ inputs: symbolic, outputs: output.symbolic });
    },
    { values: (name) => writer.valuesOf(name) },
  );
  return writer.finish(shape, output!, made);
}

/** Activations by their names in ONNX, tfjs-layers and graph models. */
const activations = {
  relu: ["Relu", "Relu"],
  tanh: ["Tanh", "Tanh"],
  sigmoid: ["Sigmoid", "Sigmoid"],
  relu6: ["Clip", "Relu6"],
} as const;

interface ConvShape {
  readonly kernel?: number;
  readonly stride?: number;
}

export class TwinWriter {
  readonly #random: () => number;
  readonly #onnx: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #graph: GraphNode[] = [];
  readonly #weights = new Map<string, TfjsWeight>();
  readonly #kernels: TwinWeight[] = [];
  #inGraph = true;

  constructor(seed: number) {
    this.#random = uniform(seed);
  }

  /** Elements of a weight of the layers model. */
  valuesOf(name: string): ArrayLike<number> | null {
    const found = this.#weights.get(name);
    return found === undefined ? null : (found.values as ArrayLike<number>);
  }

  /** Convolution with TensorFlow's same padding and a bias. */
  conv(x: TwinSignal, name: string, filters: number, { kernel = 3, stride = 1 }: ConvShape = {}): TwinSignal {
    const channels = x.shape[2]!;
    const shape = [kernel, kernel, channels, filters];
    const w = this.#kernel(`${name}/kernel`, shape, [3, 2, 0, 1], kernel * kernel * channels);
    const symbolic = layers
      .conv2d({ name, filters, kernelSize: kernel, strides: stride, padding: "same" })
      .apply(x.symbolic) as SymbolicTensor;
    return this.#convolution(x, symbolic, name, { kernel, stride, filters, w, group: 1 });
  }

  depthwise(x: TwinSignal, name: string, { kernel = 3, stride = 1 }: ConvShape = {}): TwinSignal {
    const filters = x.shape[2]!;
    const w = this.#kernel(`${name}/depthwise_kernel`, [kernel, kernel, filters, 1], [2, 3, 0, 1], kernel * kernel);
    const symbolic = layers
      .depthwiseConv2d({ name, kernelSize: kernel, strides: stride, padding: "same" })
      .apply(x.symbolic) as SymbolicTensor;
    return this.#convolution(x, symbolic, name, { kernel, stride, filters, w, group: filters });
  }

  batchNorm(x: TwinSignal, name: string): TwinSignal {
    const channels = x.shape.at(-1)!;
    const [gamma, beta, mean, variance] = (["gamma", "beta", "moving_mean", "moving_variance"] as const).map((part) => {
      const spread = part === "gamma" || part === "moving_variance";
      return this.#parameter(`${name}/${part}`, channels, () => (spread ? 0.5 + this.#random() : this.#small()));
    });
    const parameters = [gamma!, beta!, mean!, variance!];
    return {
      ...x,
      onnx: this.#node("BatchNormalization", name, [x.onnx, ...parameters], { epsilon: 1e-3 }),
      graph: this.#op("FusedBatchNormV3", name, [x.graph, ...parameters], {
        epsilon: 1e-3,
        is_training: false,
        data_format: "NHWC",
      }),
      symbolic: layers.batchNormalization({ name, epsilon: 1e-3 }).apply(x.symbolic) as SymbolicTensor,
    };
  }

  activation(x: TwinSignal, name: string, kind: keyof typeof activations): TwinSignal {
    const [onnx, graph] = activations[kind];
    const bounds = kind === "relu6" ? [this.#scalar(`${name}/low`, 0), this.#scalar(`${name}/high`, 6)] : [];
    return {
      ...x,
      onnx: this.#node(onnx, name, [x.onnx, ...bounds]),
      graph: this.#op(graph, name, [x.graph]),
      symbolic: layers.activation({ name, activation: kind }).apply(x.symbolic) as SymbolicTensor,
    };
  }

  add(a: TwinSignal, b: TwinSignal, name: string): TwinSignal {
    return {
      ...a,
      onnx: this.#node("Add", name, [a.onnx, b.onnx]),
      graph: this.#op("AddV2", name, [a.graph, b.graph]),
      symbolic: layers.add({ name }).apply([a.symbolic, b.symbolic]) as SymbolicTensor,
    };
  }

  /** Halves height and width, which are even. */
  maxPool(x: TwinSignal, name: string): TwinSignal {
    const [height, width, channels] = x.shape as [number, number, number];
    return {
      onnx: this.#node("MaxPool", name, [x.onnx], { kernel_shape: [2, 2], strides: [2, 2] }),
      graph: this.#op("MaxPool", name, [x.graph], {
        ksize: [1, 2, 2, 1],
        strides: [1, 2, 2, 1],
        padding: "VALID",
        data_format: "NHWC",
      }),
      symbolic: layers.maxPooling2d({ name, poolSize: 2 }).apply(x.symbolic) as SymbolicTensor,
      shape: [height / 2, width / 2, channels],
    };
  }

  globalPool(x: TwinSignal, name: string): TwinSignal {
    this.#weights.set(`${name}/axes`, ints(`${name}/axes`, [1, 2]));
    return {
      onnx: this.#node("Flatten", `${name}.flat`, [this.#node("GlobalAveragePool", name, [x.onnx])]),
      graph: this.#op("Mean", name, [x.graph, `${name}/axes`], { keep_dims: false, Tidx: ofType("DT_INT32") }),
      symbolic: layers.globalAveragePooling2d({ name }).apply(x.symbolic) as SymbolicTensor,
      shape: [x.shape[2]!],
    };
  }

  flatten(x: TwinSignal, name: string): TwinSignal {
    const [height, width, channels] = x.shape as [number, number, number];
    const size = height * width * channels;
    this.#weights.set(`${name}/shape`, ints(`${name}/shape`, [-1, size]));
    return {
      onnx: this.#node("Flatten", name, [x.onnx]),
      graph: this.#op("Reshape", name, [x.graph, `${name}/shape`], { Tshape: ofType("DT_INT32") }),
      symbolic: layers.flatten({ name }).apply(x.symbolic) as SymbolicTensor,
      shape: [size],
      features: Array.from({ length: size }, (_, i) => (i % channels) * height * width + Math.floor(i / channels)),
    };
  }

  dense(x: TwinSignal, name: string, units: number): TwinSignal {
    const inputs = x.shape[0]!;
    const w = this.#kernel(`${name}/kernel`, [inputs, units], [1, 0], inputs, x.features);
    const bias = this.#parameter(`${name}/bias`, units, () => this.#small());
    const product = this.#op("MatMul", name, [x.graph, w.graph], {
      transpose_a: false,
      transpose_b: false,
    });
    return {
      onnx: this.#node("Gemm", name, [x.onnx, w.onnx, bias], { transB: 1 }),
      graph: this.#op("BiasAdd", `${name}/BiasAdd`, [product, bias]),
      symbolic: layers.dense({ name, units }).apply(x.symbolic) as SymbolicTensor,
      shape: [units],
    };
  }

  /** The last state of an LSTM over [steps, features], its recurrent activation a true sigmoid. */
  lstm(x: TwinSignal, name: string, units: number): TwinSignal {
    this.#inGraph = false;
    const inputs = x.shape[1]!;
    // Keras has its gates in the order i, f, c, o and ONNX in i, o, f, c.
    const gates = [0, 2, 3, 1].flatMap((gate) => Array.from({ length: units }, (_, u) => gate * units + u));
    const kernel = this.#gated(`${name}/kernel`, inputs, gates);
    const recurrent = this.#gated(`${name}/recurrent_kernel`, units, gates);
    const bias = Float32Array.from({ length: 4 * units }, () => this.#small());
    this.#weights.set(`${name}/bias`, weight(`${name}/bias`, [4 * units], bias));
    const both = new Float32Array(8 * units);
    bias.forEach((element, i) => (both[gates[i]!] = element));
    this.#initializers.push(tensor(`${name}/bias`, "float", [1, 8 * units], both));
    const steps = this.#node("Transpose", `${name}.steps`, [x.onnx], { perm: [1, 0, 2] });
    this.#onnx.push(
      onnxNode("LSTM", [steps, kernel, recurrent, `${name}/bias`], ["", `${name}.h`], { hidden_size: units }, { name }),
    );
    this.#initializers.push(tensor(`${name}.axes`, "int64", [1], [0]));
    return {
      onnx: this.#node("Squeeze", `${name}.last`, [`${name}.h`, `${name}.axes`]),
      graph: "",
      symbolic: layers.lstm({ name, units, recurrentActivation: "sigmoid" }).apply(x.symbolic) as SymbolicTensor,
      shape: [units],
    };
  }

  finish(shape: readonly number[], output: TwinSignal, made: TfjsModel): Twin {
    const channelsFirst = shape.length === 3 ? [shape[2]!, shape[0]!, shape[1]!] : shape;
    return {
      onnx: model({
        graph: {
          nodes: this.#onnx,
          initializers: this.#initializers,
          inputs: [value("x", "float", ["N", ...channelsFirst])],
          outputs: [value(output.onnx, "float", ["N", ...output.shape])],
        },
      }),
      layers: made,
      graph: this.#inGraph
        ? graphModel({
            inputs: [placeholder("x", [null, ...shape])],
            weights: [...this.#weights.values()],
            nodes: this.#graph,
            outputs: [output.graph],
          })
        : null,
      weights: this.#kernels,
    };
  }

  readonly #small = (): number => 0.1 * normal(this.#random);

  #node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    this.#onnx.push(onnxNode(op, inputs, [`${name}.out`], attributes, { name }));
    return `${name}.out`;
  }

  #op(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, GraphAttribute>> = {},
  ): string {
    this.#graph.push(node(op, name, inputs, attributes));
    return name;
  }

  #scalar(name: string, number: number): string {
    this.#initializers.push(tensor(name, "float", [], [number]));
    return name;
  }

  /** A vector that all three models have in the same order. */
  #parameter(name: string, length: number, draw: () => number): string {
    const values = Float32Array.from({ length }, draw);
    this.#weights.set(name, weight(name, [length], values));
    this.#initializers.push(tensor(name, "float", [length], values));
    return name;
  }

  /**
   * A kernel drawn with variance 2 / fan-in in tfjs' order; ONNX's axes are `permutation` of it. `rows` are places of the
   * first axis' features.
   */
  #kernel(
    name: string,
    shape: readonly number[],
    permutation: readonly number[],
    fanIn: number,
    rows?: readonly number[],
  ): { readonly onnx: string; readonly graph: string } {
    const target = permutation.map((axis) => shape[axis]!);
    const places = new Int32Array(elementCount(shape));
    const index = shape.map(() => 0);
    for (let i = 0; i < places.length; i++) {
      for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
        index[axis] = rest % shape[axis]!;
        rest = Math.floor(rest / shape[axis]!);
      }
      if (rows !== undefined) index[0] = rows[index[0]!]!;
      places[i] = permutation.reduce((place, axis, a) => place * target[a]! + index[axis]!, 0);
    }
    this.#place(name, shape, target, places, Math.sqrt(2 / fanIn));
    return { onnx: name, graph: name };
  }

  /** A kernel [inputs, 4 · units] whose columns ONNX has as rows, in another order of gates. */
  #gated(name: string, inputs: number, gates: readonly number[]): string {
    const columns = gates.length;
    const places = Int32Array.from({ length: inputs * columns }, (_, i) => {
      const row = Math.floor(i / columns);
      return gates[i % columns]! * inputs + row;
    });
    this.#place(name, [inputs, columns], [1, columns, inputs], places, 1 / Math.sqrt(inputs));
    return name;
  }

  #place(
    name: string,
    shape: readonly number[],
    onnxShape: readonly number[],
    places: Int32Array,
    deviation: number,
  ): void {
    const values = Float32Array.from(places, () => deviation * normal(this.#random));
    const moved = new Float32Array(values.length);
    values.forEach((element, i) => (moved[places[i]!] = element));
    this.#weights.set(name, weight(name, shape, values));
    this.#initializers.push(tensor(name, "float", onnxShape, moved));
    this.#kernels.push({ name, onnx: name, places });
  }

  /** The convolution's node in ONNX and in the graph model, with its bias. */
  #convolution(
    x: TwinSignal,
    symbolic: SymbolicTensor,
    name: string,
    conv: { kernel: number; stride: number; filters: number; group: number; w: { onnx: string; graph: string } },
  ): TwinSignal {
    const { kernel, stride, filters, group, w } = conv;
    const bias = this.#parameter(`${name}/bias`, filters, this.#small);
    const sizes = x.shape.slice(0, 2);
    const outputs = sizes.map((size) => Math.ceil(size / stride));
    const missing = sizes.map((size, i) => Math.max(0, (outputs[i]! - 1) * stride + kernel - size));
    const before = missing.map((pads) => Math.floor(pads / 2));
    const convolved = this.#op(group === 1 ? "Conv2D" : "DepthwiseConv2dNative", name, [x.graph, w.graph], {
      strides: [1, stride, stride, 1],
      dilations: [1, 1, 1, 1],
      padding: "SAME",
      data_format: "NHWC",
    });
    return {
      onnx: this.#node("Conv", name, [x.onnx, w.onnx, bias], {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        group,
        pads: [...before, ...missing.map((pads, i) => pads - before[i]!)],
      }),
      graph: this.#op("BiasAdd", `${name}/BiasAdd`, [convolved, bias], { data_format: "NHWC" }),
      symbolic,
      shape: [...outputs, filters],
    };
  }
}
