/** A weight of the manifest as a constant of the graph, which holds the elements of small ones, decoded. */
import { byteLength, elementCount } from "../../graph/tensor.js";
import type { Constant } from "../../graph/graph.js";
import { storedElements } from "../stored-elements.js";
import type { Source } from "../source.js";
import type { ManifestWeight } from "./manifest.js";

/** Most bytes of a tensor that the graph holds: shapes, axes, biases. */
const maxHeldBytes = 4096;

export function heldConstant(source: Source, { name, tensor }: ManifestWeight): Constant {
  const count = elementCount(tensor.shape);
  const bytes = byteLength(tensor.dtype, count)!;
  let inline: Uint8Array | null = null;
  if (bytes <= maxHeldBytes) {
    inline = new Uint8Array(bytes);
    if (tensor.encoding === "raw") source.read(tensor.path, tensor.offset, inline);
    else {
      const weight = { id: name, name, tensor, size: count, shape: tensor.shape, dequantisation: null };
      const values = new Float32Array(count);
      storedElements(source, weight).read(0, count, values);
      inline.set(new Uint8Array(values.buffer));
    }
  }
  return { name, tensor, inline, origin: "initializer", sparse: null };
}
