/** Elements of a constant as a tensor that can be fed: from the graph where it holds them, else from the file. */
import type * as Ort from "onnxruntime-node";
import type { DType } from "../../protocol/model.js";
import { PruneScopeError } from "../../protocol/errors.js";
import { constantBytes } from "../formats/constant-bytes.js";
import type { Source } from "../formats/source.js";
import { float16Array } from "../graph/float16.js";
import type { Constant } from "../graph/graph.js";
import { onnxRuntime } from "../runtime/session.js";

type Make = (Tensor: typeof Ort.Tensor, buffer: ArrayBuffer, shape: readonly number[]) => Ort.Tensor;

/** Element types that can be fed. */
const makers: Readonly<Partial<Record<DType, Make>>> = {
  bool: (Tensor, buffer, shape) => new Tensor("bool", new Uint8Array(buffer), shape),
  double: (Tensor, buffer, shape) => new Tensor("float64", new Float64Array(buffer), shape),
  float: (Tensor, buffer, shape) => new Tensor("float32", new Float32Array(buffer), shape),
  float16: (Tensor, buffer, shape) => new Tensor("float16", float16Array(new Uint16Array(buffer)), shape),
  int16: (Tensor, buffer, shape) => new Tensor("int16", new Int16Array(buffer), shape),
  int32: (Tensor, buffer, shape) => new Tensor("int32", new Int32Array(buffer), shape),
  int64: (Tensor, buffer, shape) => new Tensor("int64", new BigInt64Array(buffer), shape),
  int8: (Tensor, buffer, shape) => new Tensor("int8", new Int8Array(buffer), shape),
  uint16: (Tensor, buffer, shape) => new Tensor("uint16", new Uint16Array(buffer), shape),
  uint32: (Tensor, buffer, shape) => new Tensor("uint32", new Uint32Array(buffer), shape),
  uint64: (Tensor, buffer, shape) => new Tensor("uint64", new BigUint64Array(buffer), shape),
  uint8: (Tensor, buffer, shape) => new Tensor("uint8", new Uint8Array(buffer), shape),
};

/** The constant's elements; a file's are read once, into the array that is fed, and decoded where they are codes. @throws PruneScopeError `unsupported-op`. */
export async function constantTensor(source: Source, constant: Constant): Promise<Ort.Tensor> {
  const { name, tensor, sparse } = constant;
  const { dtype, shape, encoding } = tensor;
  const make = makers[dtype];
  const obstacle =
    sparse !== null
      ? "is stored sparsely"
      : encoding === "varint"
        ? `stores its ${dtype} elements as varints`
        : `has elements of type ${dtype}`;
  if (sparse !== null || encoding === "varint" || make === undefined) {
    throw new PruneScopeError(
      "unsupported-op",
      `Tensor "${name}" ${obstacle}, which a run with gradients cannot be fed. Choose a criterion without gradients.`,
      { value: name },
    );
  }
  const { buffer } = constantBytes(source, constant);
  const { Tensor } = await onnxRuntime();
  return make(Tensor, buffer, shape);
}
