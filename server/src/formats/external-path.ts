/**
 * Which paths external data (of ONNX) and shards (of TensorFlow.js) may have. A model is a stranger's file: what it names must lie in its own folder, by the
 * rules of POSIX and of Windows, wherever we run.
 */
import { realpathSync, statSync } from "node:fs";
import native, { dirname, type PlatformPath } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import { isInside } from "./inside.js";

/** Names that Windows takes for devices, whatever their extension. */
const deviceName = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)/i;

/** Why `location` may not be followed, or null when it stays in the folder by its wording. */
export function refusedLocation(location: string): string | null {
  if (location === "") return "is empty";
  if (location.includes("\0")) return "holds a NUL character";
  if (/^[/\\]/.test(location)) return "is absolute";
  if (location.includes(":")) return "holds a colon (a drive or a stream on Windows)";
  const parts = location.split(/[/\\]/);
  // Windows drops dots and spaces at the end of a name.
  if (parts.some((part) => /^\. *\.[. ]*$/.test(part))) return 'leads out of the folder by ".."';
  if (parts.some((part) => deviceName.test(part))) return "names a Windows device";
  if (parts.some((part) => part !== "." && /[. ]$/.test(part)))
    return "ends a name with a dot or a space (Windows leaves them out, and finds another file)";
  return null;
}

/**
 * Where a location that {@link refusedLocation} lets through lies, by the rules of a platform: only on Windows are
 * backslashes separators. Never outside `folder`, which is absolute.
 */
export function located(folder: string, location: string, rules: PlatformPath = native): string {
  return rules.join(folder, ...location.split(rules.sep === "\\" ? /[/\\]/ : "/"));
}

/**
 * Absolute path of a file that a model names as its own.
 * @param owner what names it, in the words of errors: `tensor "w"`.
 * @throws PruneScopeError `unsafe-path` when it lies outside the model's folder, by its wording or by a link, `missing-data`
 * when there is nothing, `malformed-model` when it is no file.
 */
export function externalPath(modelPath: string, location: string, owner: string, value?: string): string {
  const about = { file: modelPath, ...(value === undefined ? {} : { value }) };
  const data = `External data ${JSON.stringify(location)} of ${owner}`;
  const refusal = refusedLocation(location);
  if (refusal !== null) {
    throw new PruneScopeError(
      "unsafe-path",
      `${owner[0]!.toUpperCase()}${owner.slice(1)} keeps its data in ${JSON.stringify(location)}, a path that ${refusal}. External data must lie in the model's folder.`,
      about,
    );
  }
  const folder = dirname(modelPath);
  const path = located(folder, location);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    throw new PruneScopeError("missing-data", `${data} is not beside the model. Put the file into ${folder}.`, about, {
      cause: error,
    });
  }
  if (!isInside(realpathSync(folder), real)) {
    throw new PruneScopeError(
      "unsafe-path",
      `${data} is a link out of the model's folder. Copy the file itself there.`,
      about,
    );
  }
  if (!statSync(real).isFile()) {
    throw new PruneScopeError("malformed-model", `${data} is not a regular file.`, about);
  }
  return path;
}
