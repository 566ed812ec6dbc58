/** Every format, one line each, and which of them reads a path. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Format } from "./format.js";
import { onnx } from "./onnx/index.js";
import { Source } from "./source.js";
import { tfjs } from "./tfjs/index.js";

export const formats: readonly Format[] = Object.freeze([onnx, tfjs]);

/** Bytes of a file that tell whether it is a model. */
const headBytes = 1 << 16;

/** Whether a file is a model that PruneScope reads, by its name and how it begins; false where it cannot be read. */
export function isModel(path: string): boolean {
  const name = path.toLowerCase();
  const format = formats.find(({ extensions }) => extensions.some((extension) => name.endsWith(extension)));
  if (format === undefined) return false;
  try {
    const source = new Source(path);
    try {
      const head = new Uint8Array(Math.min(headBytes, source.size()));
      source.read(path, 0, head);
      return format.recognises(new TextDecoder().decode(head));
    } finally {
      source.close();
    }
  } catch {
    return false;
  }
}

/** The format of a file, by its name. @throws PruneScopeError `unsupported-format`. */
export function formatOf(path: string): Format {
  const name = path.toLowerCase();
  const format = formats.find(({ extensions }) => extensions.some((extension) => name.endsWith(extension)));
  if (format !== undefined) return format;
  const known = formats.flatMap(({ extensions }) => extensions).join(", ");
  throw new PruneScopeError("unsupported-format", `${path} is not a model that PruneScope reads (${known}).`, {
    file: path,
  });
}
