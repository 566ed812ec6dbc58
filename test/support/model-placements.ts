/**
 * Small models whose weight lies in an unusual place: in every element type and storage, behind operators that move or
 * rescale it, in Constant nodes, sparse, or in files beside the model.
 */
import type { NodeProto, TensorProto } from "onnx-buf";
import type { DType } from "../../server/protocol/model.js";
import { model, node, type TestModel } from "./model-builder.js";
import { normals, wholes } from "./model-elements.js";
import { weight } from "./model-networks.js";
import { ExternalFile, sparseTensor, type Storage, tensor, value } from "./model-tensors.js";

/** ONNX's number of float, for Cast. */
const toFloat = 1;

/** x [2, shape[0]] times the stored matrix `w`, through a Cast where it is not float32. */
export function storedWeight(options: {
  readonly dtype: DType;
  readonly storage: "raw" | "typed" | "unpacked" | "external";
  readonly shape?: readonly [number, number];
  readonly values?: readonly number[];
  readonly seed?: number;
}): TestModel {
  const { dtype, shape = [64, 48], seed = 1 } = options;
  const file = new ExternalFile("w.bin");
  // An odd start: nothing may rely on alignment.
  if (options.storage === "external") file.append(Uint8Array.of(1, 2, 3));
  const storage: Storage = options.storage === "external" ? { file } : options.storage;
  const values = options.values ?? normals(seed, shape[0] * shape[1]);
  const direct = dtype === "float";
  return model({
    external: options.storage === "external" ? [file] : [],
    graph: {
      nodes: [
        ...(direct ? [] : [node("Cast", ["w"], ["wide"], { to: toFloat })]),
        node("MatMul", ["x", direct ? "w" : "wide"], ["y"]),
      ],
      inputs: [value("x", "float", [2, shape[0]])],
      outputs: [value("y", "float", [2, shape[1]])],
      initializers: [tensor("w", dtype, shape, values, storage)],
    },
  });
}

/** A chain of operators between the stored tensor `w` and the MatMul with x [2, 6] that uses it as `end`. */
interface Chain {
  readonly w: TensorProto;
  readonly nodes: readonly NodeProto[];
  readonly constants?: readonly TensorProto[];
}

const int64 = (name: string, values: readonly number[]): TensorProto => tensor(name, "int64", [values.length], values);

/** Chains by name; the weight always reaches the MatMul as [6, 8]. */
export const chains = {
  cast: () => ({
    w: weight("w", [6, 8], 1, "double"),
    nodes: [node("Cast", ["w"], ["end"], { to: toFloat })],
  }),
  identity: () => ({ w: weight("w", [6, 8], 1), nodes: [node("Identity", ["w"], ["end"])] }),
  reshape: () => ({
    w: weight("w", [6, 1, 8], 1),
    nodes: [node("Reshape", ["w", "shape"], ["end"])],
    constants: [int64("shape", [0, -1])],
  }),
  reshapeMixingAxes: () => ({
    w: weight("w", [3, 16], 1),
    nodes: [node("Reshape", ["w", "shape"], ["end"])],
    constants: [int64("shape", [6, 8])],
  }),
  /** The gates of an LSTM are reordered like this. */
  sliceConcat: () => ({
    w: weight("w", [6, 8], 1),
    nodes: [
      node("Slice", ["w", "zero", "four", "axis"], ["a"]),
      node("Slice", ["w", "four", "eight", "axis"], ["b"]),
      node("Concat", ["b", "a"], ["end"], { axis: 1 }),
    ],
    constants: [int64("zero", [0]), int64("four", [4]), int64("eight", [8]), int64("axis", [1])],
  }),
  splitConcat: () => ({
    w: weight("w", [6, 8], 1),
    nodes: [node("Split", ["w", "parts"], ["a", "b"], { axis: 1 }), node("Concat", ["b", "a"], ["end"], { axis: -1 })],
    constants: [int64("parts", [3, 5])],
  }),
  squeezeUnsqueeze: () => ({
    w: weight("w", [1, 6, 8], 1),
    nodes: [
      node("Squeeze", ["w", "first"], ["a"]),
      node("Unsqueeze", ["a", "second"], ["b"]),
      node("Squeeze", ["b"], ["end"]),
    ],
    constants: [int64("first", [0]), int64("second", [1])],
  }),
  transpose: () => ({
    w: weight("w", [8, 6], 1),
    nodes: [node("Transpose", ["w"], ["end"], { perm: [1, 0] })],
  }),
  several: () => ({
    w: weight("w", [8, 6, 1], 1, "float16"),
    nodes: [
      node("Identity", ["w"], ["a"]),
      node("Cast", ["a"], ["b"], { to: toFloat }),
      node("Transpose", ["b"], ["c"], { perm: [2, 1, 0] }),
      node("Reshape", ["c", "shape"], ["end"]),
    ],
    constants: [int64("shape", [6, 8])],
  }),
} as const satisfies Readonly<Record<string, () => Chain>>;

/** The weight behind one of the {@link chains}; `inNodes` puts it and the chain's constants into Constant nodes. */
export function behind(name: keyof typeof chains, { inNodes = false } = {}): TestModel {
  const { w, nodes, constants = [] }: Chain = chains[name]();
  const tensors = [w, ...constants];
  return model({
    graph: {
      nodes: [
        ...(inNodes ? tensors.map((one) => node("Constant", [], [one.name], { value: one })) : []),
        ...nodes,
        node("MatMul", ["x", "end"], ["y"]),
      ],
      inputs: [value("x", "float", [2, 6])],
      outputs: [value("y", "float", [2, 8])],
      initializers: inNodes ? [] : tensors,
    },
  });
}

/** x [2, 6] times an integer matrix [6, 8] behind DequantizeLinear; `axis` null quantises the whole tensor at once. */
export function quantised(options: {
  readonly dtype: "int8" | "uint8";
  readonly axis: number | null;
  readonly zeroPoint?: boolean;
  readonly shape?: readonly [number, number];
  readonly seed?: number;
}): TestModel {
  const { dtype, axis, zeroPoint = true, shape = [6, 8], seed = 1 } = options;
  const [low, high] = dtype === "int8" ? ([-128, 127] as const) : ([0, 255] as const);
  const channels = axis === null ? 1 : shape[axis < 0 ? axis + 2 : axis]!;
  const dims = axis === null ? [] : [channels];
  const scales = normals(seed + 1, channels).map((number) => 0.01 + Math.abs(number) / 100);
  const points = wholes(seed + 2, channels, low + 100, high - 100);
  return model({
    graph: {
      nodes: [
        node(
          "DequantizeLinear",
          ["w", "scale", ...(zeroPoint ? ["zero"] : [])],
          ["wide"],
          axis === null ? {} : { axis },
        ),
        node("MatMul", ["x", "wide"], ["y"]),
      ],
      inputs: [value("x", "float", [2, shape[0]])],
      outputs: [value("y", "float", [2, shape[1]])],
      initializers: [
        tensor("w", dtype, shape, wholes(seed, shape[0] * shape[1], low, high)),
        tensor("scale", "float", dims, scales),
        ...(zeroPoint ? [tensor("zero", dtype, dims, points)] : []),
      ],
    },
  });
}

/** x [2, 6] times a matrix [6, 8] of which every third element is stored; linear indices or coordinates. */
export function sparseWeight({ coordinates = false, inNode = false, seed = 1 } = {}): TestModel {
  const linear = Array.from({ length: 16 }, (_, i) => 3 * i);
  const indices = coordinates ? linear.map((i) => [Math.floor(i / 8), i % 8] as const) : linear;
  const stored = sparseTensor([6, 8], tensor("w", "float", [16], normals(seed, 16)), indices);
  return model({
    graph: {
      nodes: [
        ...(inNode ? [node("Constant", [], ["w"], { sparse_value: stored })] : []),
        node("MatMul", ["x", "w"], ["y"]),
      ],
      inputs: [value("x", "float", [2, 6])],
      outputs: [value("y", "float", [2, 8])],
      sparse: inNode ? [] : [stored],
    },
  });
}

/** Two layers in one file, a third in a file in a folder of its own, a fourth in the model. */
export function externalWeights({ seed = 1 } = {}): TestModel {
  const shared = new ExternalFile("weights.bin");
  const nested = new ExternalFile("more/weights.bin");
  const layers = [
    weight("first", [32, 64], seed, "float", { file: shared, alignment: 64 }),
    weight("second", [64, 48], seed + 1, "float16", { file: shared, alignment: 4096 }),
    weight("third", [48, 32], seed + 2, "float", { file: nested }),
    weight("fourth", [32, 16], seed + 3),
  ];
  return model({
    external: [shared, nested],
    graph: {
      nodes: [
        node("Cast", ["second"], ["wide"], { to: toFloat }),
        node("MatMul", ["x", "first"], ["a"]),
        node("MatMul", ["a", "wide"], ["b"]),
        node("MatMul", ["b", "third"], ["c"]),
        node("MatMul", ["c", "fourth"], ["y"]),
      ],
      inputs: [value("x", "float", ["batch", 32])],
      outputs: [value("y", "float", ["batch", 16])],
      initializers: layers,
    },
  });
}
