/** Elements of a constant as a tensor that can be fed: from the graph where it holds them, else from the file. */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Source } from "../formats/source.js";
import { float16Array } from "../graph/float16.js";
import type { Constant } from "../graph/graph.js";
import { onnxRuntime } from "../runtime/session.js";

/** The constant's elements; a file's are read once, into the array that is fed. @throws PruneScopeError `unsupported-op`. */
export async function constantTensor(source: Source, { name, tensor, inline, sparse }: Constant): Promise<Ort.Tensor> {
  const { dtype, shape, path, offset, length, encoding } = tensor;
  if (sparse !== null || encoding !== "raw") {
    throw new PruneScopeError("unsupported-op", `Tensor "${name}" is stored in a form that cannot be fed to a run.`, {
      value: name,
    });
  }
  const bytes = inline === null ? new Uint8Array(length) : Uint8Array.from(inline);
  if (inline === null) source.read(path, offset, bytes);
  const { buffer } = bytes;
  const { Tensor } = await onnxRuntime();
  switch (dtype) {
    case "float":
      return new Tensor("float32", new Float32Array(buffer), shape);
    case "double":
      return new Tensor("float64", new Float64Array(buffer), shape);
    case "float16":
      return new Tensor("float16", float16Array(new Uint16Array(buffer)), shape);
    case "int64":
      return new Tensor("int64", new BigInt64Array(buffer), shape);
    case "uint64":
      return new Tensor("uint64", new BigUint64Array(buffer), shape);
    case "int32":
      return new Tensor("int32", new Int32Array(buffer), shape);
    case "uint32":
      return new Tensor("uint32", new Uint32Array(buffer), shape);
    case "int16":
      return new Tensor("int16", new Int16Array(buffer), shape);
    case "uint16":
      return new Tensor("uint16", new Uint16Array(buffer), shape);
    case "int8":
      return new Tensor("int8", new Int8Array(buffer), shape);
    case "uint8":
      return new Tensor("uint8", bytes, shape);
    case "bool":
      return new Tensor("bool", bytes, shape);
    default:
      throw new PruneScopeError(
        "unsupported-op",
        `Tensor "${name}" has elements of type ${dtype}, which cannot be fed.`,
        {
          value: name,
        },
      );
  }
}
