/** Every format, one line each, and which of them reads a path. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Format } from "./format.js";
import { onnx } from "./onnx/index.js";
import { tfjs } from "./tfjs/index.js";

export const formats: readonly Format[] = Object.freeze([onnx, tfjs]);

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
