/** The elements of a whole constant in memory, as a typed array of its element type holds them. */
import type { Constant } from "../graph/graph.js";
import { byteLength, elementCount } from "../graph/tensor.js";
import { PruneScopeError } from "../../protocol/errors.js";
import { blockElements, storedElements } from "./stored-elements.js";
import type { Source } from "./source.js";

/**
 * Elements of a dense constant, little-endian and decoded: from the graph where it holds them, else read once from the
 * files of `source`.
 * @throws PruneScopeError `unsupported-op` for elements that are stored as varints.
 */
export function constantBytes(
  source: Source,
  { name, tensor, inline }: Pick<Constant, "inline" | "name" | "tensor">,
): Uint8Array<ArrayBuffer> {
  if (inline !== null) return Uint8Array.from(inline);
  const { path, offset, length, dtype, shape, encoding } = tensor;
  if (encoding === "varint")
    throw new PruneScopeError("unsupported-op", `Tensor "${name}" stores its ${dtype} elements as varints.`, {
      value: name,
    });
  if (encoding === "raw") {
    const bytes = new Uint8Array(length);
    source.read(path, offset, bytes);
    return bytes;
  }
  const size = elementCount(shape);
  const elements = storedElements(source, { id: name, name, tensor, size, shape, dequantisation: null });
  const bytes = new Uint8Array(byteLength(dtype, size)!);
  const block = new Float32Array(Math.min(size, blockElements));
  const out = dtype === "int32" ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
  for (let start = 0; start < size; start += blockElements) {
    const count = Math.min(blockElements, size - start);
    elements.read(start, count, block);
    out.set(block.subarray(0, count), start);
  }
  return bytes;
}
