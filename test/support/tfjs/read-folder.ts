/** Reads a TensorFlow.js model's folder by the manifest's own words: what each weight's bytes are, and what they decode to. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { elementCount } from "../../../server/src/graph/tensor.js";
import { float16ToNumber } from "../../../server/src/graph/float16.js";
import type { ModelJson } from "./folder.js";
import type { ManifestEntry } from "./weights.js";

export interface FolderWeight extends ManifestEntry {
  readonly bytes: Buffer;
  /** The elements as they are stored: codes where they are quantised. */
  readonly codes: ArrayLike<number>;
  /** What they decode to, as float32. */
  readonly values: Float32Array;
}

const widths: Readonly<Record<string, number>> = { float32: 4, int32: 4, uint16: 2, float16: 2, uint8: 1, bool: 1 };

/** Every weight of the model.json at `path`, by name. */
export function readWeights(path: string): Map<string, FolderWeight> {
  const { weightsManifest } = JSON.parse(readFileSync(path, "utf8")) as ModelJson;
  const found = new Map<string, FolderWeight>();
  for (const { paths, weights } of weightsManifest) {
    const group = Buffer.concat(paths.map((shard) => readFileSync(join(dirname(path), shard))));
    let at = 0;
    for (const entry of weights) {
      const { quantization, dtype, shape, name } = entry;
      const stored = quantization?.dtype ?? dtype;
      const length = widths[stored]! * elementCount(shape);
      const bytes = Buffer.from(group.subarray(at, at + length));
      const { buffer } = Uint8Array.from(bytes);
      const codes =
        stored === "float32"
          ? new Float32Array(buffer)
          : stored === "int32"
            ? new Int32Array(buffer)
            : widths[stored] === 2
              ? new Uint16Array(buffer)
              : new Uint8Array(buffer);
      const { scale = 1, min = 0 } = quantization ?? {};
      const decode = stored === "float16" ? float16ToNumber : (code: number): number => code * scale + min;
      found.set(name, { ...entry, bytes, codes, values: Float32Array.from(codes, decode) });
      at += length;
    }
    if (at !== group.length) throw new Error(`${path}: ${group.length} bytes of shards, ${at} of weights`);
  }
  return found;
}
