/**
 * Which backends there are to try, best first: the native library where a person's machine-wide setting or PruneScope's
 * own install has it, then what is built in. It is looked for in these folders only: nothing is ever resolved from the
 * folder of a model or from the opened workspace.
 */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { Backend } from "./messages.js";

/** Names under which the native library is published. */
const nativeNames = ["@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"];

export interface Backends {
  readonly backends: readonly Backend[];
  /** Why better ones are not among them, in sentences. */
  readonly passedOver: readonly string[];
}

/**
 * Backends in the order in which they are tried.
 * @param setting folder of the native library that the person names; empty = none.
 * @param script path of `dist/tfjs.js`.
 */
export function backendsFor(setting: string, script: string): Backends {
  const builtIn: Backend[] = [{ kind: "wasm" }, { kind: "cpu" }];
  const passedOver: string[] = [];
  const native: Backend[] = [];
  if (setting !== "") {
    if (!isAbsolute(setting)) passedOver.push(`prunescope.tfjsNode.path is "${setting}", not an absolute path.`);
    else if (!isNative(setting))
      passedOver.push(`prunescope.tfjsNode.path names ${setting}, which is no ${nativeNames[0]}.`);
    else native.push({ kind: "tfjs-node", folder: setting });
  }
  const dist = dirname(script);
  const own = [dist, dirname(dist)]
    .flatMap((folder) => nativeNames.map((name) => join(folder, "node_modules", name)))
    .find(isNative);
  if (own !== undefined && own !== setting) native.push({ kind: "tfjs-node", folder: own });
  if (native.length === 0 && setting === "")
    passedOver.push(
      `${nativeNames[0]} is not part of this installation, and neither prunescope.tfjsNode.path nor --tfjs-node names a folder of it.`,
    );
  return { backends: [...native, ...builtIn], passedOver };
}

/** Whether a folder is the native library, by its manifest. */
function isNative(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return (
      typeof manifest === "object" && manifest !== null && nativeNames.includes((manifest as { name: string }).name)
    );
  } catch {
    return false;
  }
}

/** How a backend is called in sentences. */
export function backendWords(backend: Backend): string {
  return backend.kind === "tfjs-node" ? `the native library in ${backend.folder}` : `the ${backend.kind} backend`;
}
