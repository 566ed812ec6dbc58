/** Whole small networks for tests, one for each kind of layer; all of them run in ONNX Runtime. */
import type { NodeProto, TensorProto } from "onnx-buf";
import type { DType } from "../../server/protocol/model.js";
import { model, type ModelParts, node, type TestModel } from "./model-builder.js";
import { normals } from "./model-elements.js";
import { type Storage, tensor, value } from "./model-tensors.js";

/** What can be asked of most fixtures. */
export interface NetworkOptions {
  readonly seed?: number;
  readonly opset?: number;
  readonly ir?: number;
}

/** A weight of standard normal numbers times √(2 / fan-in), where fan-in is the product of all axes but the first. */
export function weight(
  name: string,
  shape: readonly number[],
  seed: number,
  dtype: DType = "float",
  storage: Storage = "raw",
): TensorProto {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const fanIn = count / Math.max(1, shape[0] ?? 1);
  return tensor(name, dtype, shape, normals(seed, count, Math.sqrt(2 / Math.max(1, fanIn))), storage);
}

const zeros = (name: string, length: number): TensorProto =>
  tensor(name, "float", [length], Array<number>(length).fill(0));
const ones = (name: string, length: number): TensorProto =>
  tensor(name, "float", [length], Array<number>(length).fill(1));

/** Opset and IR version as a model takes them: those that are not given keep their default. */
function versions({ opset, ir }: NetworkOptions): Pick<ModelParts, "ir" | "opset"> {
  return { ...(opset === undefined ? {} : { opset }), ...(ir === undefined ? {} : { ir }) };
}

/**
 * Conv, BatchNormalization, Relu; Conv, residual Add, Relu; pooling and a Gemm. Input `x` [batch, 3, 16, 16]. The same
 * operators exist from opset 7 to the newest.
 */
export function convNet(options: NetworkOptions & { readonly channels?: number } = {}): TestModel {
  const { seed = 1, channels: c = 8 } = options;
  return model({
    ...versions(options),
    graph: {
      nodes: [
        node("Conv", ["x", "conv1.weight", "conv1.bias"], ["c1"], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
        node("BatchNormalization", ["c1", "bn.scale", "bn.bias", "bn.mean", "bn.var"], ["n1"]),
        node("Relu", ["n1"], ["r1"]),
        node("Conv", ["r1", "conv2.weight"], ["c2"], { pads: [1, 1, 1, 1] }, { name: "residual/conv2" }),
        node("Add", ["c2", "r1"], ["sum"]),
        node("Relu", ["sum"], ["r2"]),
        node("GlobalAveragePool", ["r2"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "fc.weight", "fc.bias"], ["y"], { transB: 1 }),
      ],
      inputs: [value("x", "float", ["batch", 3, 16, 16])],
      outputs: [value("y", "float", ["batch", 10])],
      initializers: [
        weight("conv1.weight", [c, 3, 3, 3], seed),
        zeros("conv1.bias", c),
        ones("bn.scale", c),
        zeros("bn.bias", c),
        zeros("bn.mean", c),
        ones("bn.var", c),
        weight("conv2.weight", [c, c, 3, 3], seed + 1),
        weight("fc.weight", [10, c], seed + 2),
        zeros("fc.bias", 10),
      ],
    },
  });
}

/** Gemm layers with Relu between them; weights `layer0.weight` … [out, in]. Input `x` [batch, widths[0]]. */
export function mlp(options: NetworkOptions & { readonly widths?: readonly number[] } = {}): TestModel {
  const { seed = 1, widths = [16, 32, 10] } = options;
  return namedMlp(
    widths.slice(1).map((_, i) => `layer${i}.weight`),
    widths,
    seed,
    versions(options),
  );
}

/** The same with given names of the weights; nodes are named like their weight. */
export function namedMlp(
  names: readonly string[],
  widths: readonly number[],
  seed: number,
  rest: Partial<Omit<ModelParts, "graph">> = {},
): TestModel {
  const last = names.length - 1;
  const nodes: NodeProto[] = names.flatMap((name, i) => {
    const input = i === 0 ? "x" : `h${i}`;
    const gemm = node("Gemm", [input, name], [i === last ? "y" : `g${i}`], { transB: 1 }, { name });
    return i === last ? [gemm] : [gemm, node("Relu", [`g${i}`], [`h${i + 1}`])];
  });
  return model({
    ...rest,
    graph: {
      nodes,
      inputs: [value("x", "float", ["batch", widths[0]!])],
      outputs: [value("y", "float", ["batch", widths.at(-1)!])],
      initializers: names.map((name, i) => weight(name, [widths[i + 1]!, widths[i]!], seed + i)),
    },
  });
}

/** One matrix used as it is and transposed, as an embedding and its output head are. */
export function tiedWeights({ seed = 1 }: NetworkOptions = {}): TestModel {
  return model({
    graph: {
      nodes: [
        node("MatMul", ["x", "embedding"], ["h"]),
        node("Transpose", ["embedding"], ["transposed"], { perm: [1, 0] }),
        node("MatMul", ["h", "transposed"], ["y"]),
      ],
      inputs: [value("x", "float", ["batch", 12])],
      outputs: [value("y", "float", ["batch", 12])],
      initializers: [weight("embedding", [12, 5], seed)],
    },
  });
}

/** Gates of the recurrent operators. */
const gates = { GRU: 3, LSTM: 4, RNN: 1 } as const;

/** One recurrent layer; weights `W` [directions, gates·8, 6] and `R` [directions, gates·8, 8]. Input `x` [5, batch, 6]. */
export function recurrent(op: keyof typeof gates, { seed = 1, directions = 1 } = {}): TestModel {
  const hidden = 8;
  const rows = gates[op] * hidden;
  return model({
    graph: {
      nodes: [
        node(op, ["x", "W", "R", "B"], ["all"], {
          hidden_size: hidden,
          direction: directions === 1 ? "forward" : "bidirectional",
        }),
      ],
      inputs: [value("x", "float", [5, "batch", 6])],
      outputs: [value("all", "float", [5, directions, "batch", hidden])],
      initializers: [
        weight("W", [directions, rows, 6], seed),
        weight("R", [directions, rows, hidden], seed + 1),
        tensor("B", "float", [directions, 2 * rows], Array<number>(directions * 2 * rows).fill(0)),
      ],
    },
  });
}

/** A grouped Conv, a depthwise Conv, a one-dimensional view of both, and a grouped ConvTranspose. */
export function groupedConvolutions({ seed = 1 }: NetworkOptions = {}): TestModel {
  return model({
    graph: {
      nodes: [
        node("Conv", ["x", "grouped"], ["a"], { group: 2, pads: [1, 1, 1, 1] }),
        node("Conv", ["a", "depthwise"], ["b"], { group: 6, pads: [1, 1, 1, 1] }),
        node("ConvTranspose", ["b", "transposed"], ["y"], { group: 2, strides: [2, 2] }),
      ],
      inputs: [value("x", "float", ["batch", 4, 8, 8])],
      outputs: [value("y", "float", null)],
      initializers: [
        weight("grouped", [6, 2, 3, 3], seed),
        weight("depthwise", [6, 1, 3, 3], seed + 1),
        weight("transposed", [6, 4, 3, 3], seed + 2),
      ],
    },
  });
}

/** MatMul with a constant on the right, on the left, in a batch, and a vector on either side; Gemm with constant A. */
export function matMuls({ seed = 1 }: NetworkOptions = {}): TestModel {
  return model({
    graph: {
      nodes: [
        node("MatMul", ["x", "right"], ["a"]),
        node("MatMul", ["left", "x"], ["b"]),
        node("MatMul", ["x3", "batched"], ["c"]),
        node("MatMul", ["x", "vector"], ["d"]),
        node("MatMul", ["row", "x"], ["e"]),
        node("Gemm", ["gemmA", "x"], ["f"]),
        node("Gemm", ["gemmAT", "x"], ["g"], { transA: 1 }),
      ],
      inputs: [value("x", "float", [4, 6]), value("x3", "float", [3, 4, 6])],
      outputs: ["a", "b", "c", "d", "e", "f", "g"].map((name) => value(name, "float", null)),
      initializers: [
        weight("right", [6, 5], seed),
        weight("left", [5, 4], seed + 1),
        weight("batched", [3, 6, 5], seed + 2),
        weight("vector", [6], seed + 3),
        weight("row", [4], seed + 4),
        weight("gemmA", [5, 4], seed + 5),
        weight("gemmAT", [4, 5], seed + 6),
      ],
    },
  });
}

/** IR version 3: initializers are listed among the inputs. */
export function irVersion3({ seed = 1 }: NetworkOptions = {}): TestModel {
  const made = convNet({ seed, opset: 8, ir: 3 });
  listInitializers(made);
  return made;
}

/** IR version 8 with its weights among the inputs: constants that a caller may override. */
export function overriddenInputs({ seed = 1 }: NetworkOptions = {}): TestModel {
  const made = mlp({ seed });
  listInitializers(made);
  return made;
}

function listInitializers({ proto }: TestModel): void {
  const { graph } = proto;
  graph?.input.push(...graph.initializer.map(({ name, dims }) => value(name, "float", dims.map(Number))));
}

/** {@link convNet} with its nodes in reverse order. */
export function unsortedNodes({ seed = 1 }: NetworkOptions = {}): TestModel {
  const made = convNet({ seed });
  made.proto.graph?.node.reverse();
  return made;
}

/** Operators of a domain that nobody knows around a Gemm; only this one runs nowhere. */
export function unknownDomain({ seed = 1 }: NetworkOptions = {}): TestModel {
  return model({
    domains: { "com.example.fancy": 3, "ai.onnx.ml": 3 },
    graph: {
      nodes: [
        node(
          "FancyConv",
          ["x", "fancy.weight", "fancy.bias"],
          ["h"],
          { mode: "sparse" },
          { domain: "com.example.fancy" },
        ),
        node("Gemm", ["h", "fc.weight"], ["y"], { transB: 1 }),
      ],
      inputs: [value("x", "float", ["batch", 8])],
      outputs: [value("y", "float", ["batch", 4])],
      initializers: [
        weight("fancy.weight", [8, 8], seed),
        zeros("fancy.bias", 8),
        weight("fc.weight", [4, 8], seed + 1),
      ],
    },
  });
}

/** Layers `cut` and `last` with LpPool between them, which has no gradient: the first gets none. */
export function cutOff(): TestModel {
  return model({
    opset: 18,
    graph: {
      nodes: [
        node("MatMul", ["x", "cut"], ["h"]),
        node("LpPool", ["h"], ["p"], { kernel_shape: [2] }),
        node("MatMul", ["p", "last"], ["y"]),
      ],
      inputs: [value("x", "float", ["batch", 2, 6])],
      outputs: [value("y", "float", ["batch", 2, 4])],
      initializers: [weight("cut", [6, 9], 1), weight("last", [8, 4], 2)],
    },
  });
}
