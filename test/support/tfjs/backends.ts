/** TensorFlow.js in the test's own process: its packages in one place, without their banner, on a backend of choice. */
import "@tensorflow/tfjs-backend-cpu";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

// Nothing but warnings hangs on it: "Hi, looks like you are running TensorFlow.js in Node.js".
tf.enableProdMode();
const wasm = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
setWasmPaths(`${dirname(wasm)}/`);

export type Backend = "cpu" | "wasm";

/** Makes `backend` the one that TensorFlow.js computes on. */
export async function useBackend(backend: Backend): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend "${backend}" here`);
}
