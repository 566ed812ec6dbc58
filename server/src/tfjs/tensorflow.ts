/**
 * TensorFlow.js with one backend. Nothing of it is loaded before it is known which: `@tensorflow/tfjs-node` brings its
 * own copy, and two copies in one process share their engine and get in each other's way.
 */
import { createRequire } from "node:module";
import { join, sep } from "node:path";
import type * as Converter from "@tensorflow/tfjs-converter";
import type * as Core from "@tensorflow/tfjs-core";
import type * as Layers from "@tensorflow/tfjs-layers";
import type { Backend } from "./messages.js";

/** The parts of TensorFlow.js that a run needs. */
export interface TensorFlow
  extends
    Pick<typeof Core, "tensor" | "matMul" | "enableProdMode" | "setBackend" | "ready" | "serialization">,
    Pick<typeof Layers, "loadLayersModel">,
    Pick<typeof Converter, "loadGraphModel"> {
  /** Versions by package; the native package calls the whole `tfjs`, ours has `tfjs-core`. */
  readonly version: Readonly<Record<string, string>> | string;
}

/**
 * Loads TensorFlow.js, makes `backend` the one that computes, and runs one kernel on it: the native library of version
 * 4.22 loads on Node.js 23 and later, and fails at its first kernel. @throws Error with what TensorFlow.js says.
 */
export async function loadTensorFlow(backend: Backend): Promise<TensorFlow> {
  const tf = backend.kind === "tfjs-node" ? nativeTensorFlow(backend.folder) : await ownTensorFlow(backend.kind);
  // Without it the library prints advice.
  tf.enableProdMode();
  const name = backend.kind === "tfjs-node" ? "tensorflow" : backend.kind;
  if (!(await tf.setBackend(name))) throw new Error(`It has no backend "${name}"`);
  await tf.ready();
  const product = tf.matMul(tf.tensor([1, 2, 3, 4], [2, 2]), tf.tensor([1, 10], [2, 1]));
  const values = await product.data();
  if (values[0] !== 21 || values[1] !== 43)
    throw new Error(`It computes [${values[0]}, ${values[1]}] where [21, 43] is right`);
  return tf;
}

/** Version of TensorFlow.js. */
export function versionOf({ version }: TensorFlow): string {
  return typeof version === "string" ? version : (version["tfjs-core"] ?? version["tfjs"] ?? "unknown");
}

/** The package in a folder, by that path and no other. */
function nativeTensorFlow(folder: string): TensorFlow {
  return createRequire(join(folder, "package.json"))(folder) as TensorFlow;
}

/** What is built into this program; the binaries of the wasm backend lie beside it. */
async function ownTensorFlow(kind: "wasm" | "cpu"): Promise<TensorFlow> {
  const core = await import("@tensorflow/tfjs-core");
  if (kind === "cpu") await import("@tensorflow/tfjs-backend-cpu");
  else {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(`${__dirname}${sep}`);
  }
  const { loadLayersModel } = await import("@tensorflow/tfjs-layers");
  const { loadGraphModel } = await import("@tensorflow/tfjs-converter");
  const { tensor, matMul, enableProdMode, setBackend, ready, serialization, version_core: version } = core;
  return { tensor, matMul, enableProdMode, setBackend, ready, serialization, loadLayersModel, loadGraphModel, version };
}
