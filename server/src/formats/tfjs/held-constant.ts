/** A weight of the manifest as a constant of the graph, which holds the elements of small ones, decoded. */
import { byteLength, elementCount } from "../../graph/tensor.js";
import type { Constant } from "../../graph/graph.js";
import { constantBytes } from "../constant-bytes.js";
import type { Source } from "../source.js";
import type { ManifestWeight } from "./manifest.js";

/** Most bytes of a tensor that the graph holds: shapes, axes, biases. */
const maxHeldBytes = 4096;

/** The constant. Strings are never held: their bytes are not those of a tensor of ONNX. */
export function heldConstant(source: Source, { name, tensor }: ManifestWeight): Constant {
  const few = (byteLength(tensor.dtype, elementCount(tensor.shape)) ?? Infinity) <= maxHeldBytes;
  const inline = few ? constantBytes(source, { name, tensor, inline: null }) : null;
  return { name, tensor, inline, origin: "initializer", sparse: null };
}
