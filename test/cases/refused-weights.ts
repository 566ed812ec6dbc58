/**
 * Weights that are reached and must not be pruned, because what the node sees is not a plain image of what is stored;
 * each with the reason that people read. Masking one of these would change the model in a way that nobody chose.
 */
import type { NodeProto, TensorProto } from "onnx-buf";
import type { DType } from "../../server/protocol/model.js";
import * as models from "../support/models.js";

export interface RefusedWeight {
  readonly name: string;
  readonly make: () => models.TestModel;
  readonly reason: string;
}

const { node, tensor, weight } = models;
const ints = (name: string, values: readonly number[]): TensorProto => tensor(name, "int64", [values.length], values);
const bytes = (name: string, dtype: DType, shape: readonly number[]): TensorProto =>
  tensor(
    name,
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % 7),
  );

/** A MatMul of x [2, 6] with `end`, which the nodes make from the constants. */
function product(nodes: readonly NodeProto[], constants: readonly TensorProto[]): models.TestModel {
  return models.model({
    domains: { "com.microsoft": 1 },
    graph: {
      nodes: [...nodes, node("MatMul", ["x", "end"], ["y"])],
      inputs: [models.value("x", "float", [2, 6]), models.value("n", "int64", [1]), models.value("z", "int8", [8])],
      outputs: [models.value("y", "float", [2, 8])],
      initializers: constants,
    },
  });
}

const int8 = bytes("w", "int8", [6, 8]);
const scales = (count: number, dtype: DType = "float"): TensorProto =>
  tensor("s", dtype, [count], Array<number>(count).fill(0.5));
const dequantised = (inputs: readonly string[], attributes = {}): NodeProto =>
  node("DequantizeLinear", inputs, ["end"], attributes);

export const refusedWeights: readonly RefusedWeight[] = [
  {
    name: "elements that do not lie in one piece",
    make: () => models.storedWeight({ dtype: "float", storage: "unpacked" }),
    reason: "its elements do not lie in the file in one piece",
  },
  {
    name: "integers without a scale",
    make: () => product([node("Cast", ["w"], ["end"], { to: 1 })], [int8]),
    reason: "its elements are int8",
  },
  {
    name: "integers that are quantised in 16 bits",
    make: () => product([dequantised(["w", "s"], { axis: 1 })], [bytes("w", "int16", [6, 8]), scales(8)]),
    reason: "its elements are int16",
  },
  {
    name: "a scale that is computed",
    make: () => product([node("Cast", ["z"], ["s"], { to: 1 }), dequantised(["w", "s"], { axis: 1 })], [int8]),
    reason: "its DequantizeLinear has no constant scale",
  },
  {
    name: "a zero point that is computed",
    make: () => product([dequantised(["w", "s", "z"], { axis: 1 })], [int8, scales(8)]),
    reason: "its DequantizeLinear has no constant zero point",
  },
  {
    name: "a zero point of another type",
    make: () => product([dequantised(["w", "s", "p"])], [int8, scales(1), bytes("p", "uint8", [1])]),
    reason: "its zero point is uint8",
  },
  {
    name: "a scale of a type that is not read",
    make: () => product([dequantised(["w", "s"])], [int8, scales(1, "bfloat16")]),
    reason: "its quantisation scale is bfloat16",
  },
  {
    name: "blocks of scales",
    make: () => product([dequantised(["w", "s"], { axis: 0, block_size: 3 })], [int8, scales(6)]),
    reason: "it is quantised in blocks",
  },
  {
    name: "more scales than the axis has elements",
    make: () => product([dequantised(["w", "s"], { axis: 1 })], [int8, scales(6)]),
    reason: "its 6 quantisation scales do not fit an axis of the stored tensor",
  },
  {
    name: "scales along an axis that a reshape has broken up",
    make: () =>
      product(
        [node("Reshape", ["w", "shape"], ["a"]), dequantised(["a", "s"], { axis: 1 })],
        [bytes("w", "int8", [3, 16]), ints("shape", [6, 8]), scales(8)],
      ),
    reason: "its 8 quantisation scales do not fit an axis of the stored tensor",
  },
  {
    name: "other numbers of scales and zero points",
    make: () => product([dequantised(["w", "s", "p"], { axis: 1 })], [int8, scales(8), bytes("p", "int8", [4])]),
    reason: "it has 8 scales and 4 zero points",
  },
  {
    name: "parts with a scale each",
    make: () =>
      product(
        [
          node("Split", ["w"], ["a", "b"], { axis: 1 }),
          node("DequantizeLinear", ["a", "s"], ["fa"]),
          node("DequantizeLinear", ["b", "s"], ["fb"]),
          node("Concat", ["fa", "fb"], ["end"], { axis: 1 }),
        ],
        [int8, scales(1)],
      ),
    reason: "it is put together from parts that went different ways",
  },
  {
    name: "itself and its transpose side by side",
    make: () =>
      product(
        [
          node("Transpose", ["w"], ["t"], { perm: [1, 0] }),
          node("Concat", ["w", "t"], ["a"], { axis: 1 }),
          node("Slice", ["a", "zero", "eight", "one"], ["end"]),
        ],
        [weight("w", [6, 6], 1), ints("zero", [0]), ints("eight", [8]), ints("one", [1])],
      ),
    reason: "it is put together from parts that went different ways",
  },
  {
    name: "a reshape that is computed",
    make: () =>
      product(
        [node("Concat", ["n", "eight"], ["shape"], { axis: 0 }), node("Reshape", ["w", "shape"], ["end"])],
        [weight("w", [6, 8], 1), ints("eight", [8])],
      ),
    reason: "it is reshaped by something that is not constant",
  },
  {
    name: "a reshape to another number of elements",
    make: () => product([node("Reshape", ["w", "shape"], ["end"])], [weight("w", [6, 8], 1), ints("shape", [6, 9])]),
    reason: "it is reshaped to [6, 9], which has another number of elements",
  },
  {
    name: "a slice that is computed",
    make: () => product([node("Slice", ["w", "n", "n"], ["end"])], [weight("w", [6, 8], 1)]),
    reason: "it is sliced at places that are not constant",
  },
  {
    name: "a slice along an axis that is not there",
    make: () =>
      product(
        [node("Slice", ["w", "zero", "four", "axis"], ["end"])],
        [weight("w", [6, 8], 1), ints("zero", [0]), ints("four", [4]), ints("axis", [4_294_967_294])],
      ),
    reason: "it is sliced along an axis that it does not have",
  },
  {
    name: "a transpose that does not fit",
    make: () => product([node("Transpose", ["w"], ["end"], { perm: [0, 0] })], [weight("w", [6, 8], 1)]),
    reason: "its Transpose has a perm that does not fit",
  },
  {
    name: "a bias",
    make: () =>
      models.model({
        graph: {
          nodes: [node("Gemm", ["x", "x2", "w"], ["y"])],
          inputs: [models.value("x", "float", [2, 6]), models.value("x2", "float", [6, 8])],
          outputs: [models.value("y", "float", [2, 8])],
          initializers: [weight("w", [2, 8], 1)],
        },
      }),
    reason: "input 2 of Gemm is not a weight that pruning touches",
  },
  {
    name: "an embedding behind a Cast",
    make: () =>
      models.model({
        graph: {
          nodes: [node("Cast", ["w"], ["e"], { to: 1 }), node("Gather", ["e", "i"], ["y"])],
          inputs: [models.value("i", "int64", [3])],
          outputs: [models.value("y", "float", [3, 8])],
          initializers: [weight("w", [6, 8], 1, "float16")],
        },
      }),
    reason: "input 0 of Gather is not a weight that pruning touches",
  },
];
