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

// What tfjs-layers' orthogonal initialiser calls as methods of a tensor, which only the package @tensorflow/tfjs adds.
Object.assign(tf.Tensor.prototype, {
  flatten(this: tf.Tensor) {
    return tf.reshape(this, [-1]);
  },
  reshape(this: tf.Tensor, shape: number[]) {
    return tf.reshape(this, shape);
  },
  sign(this: tf.Tensor) {
    return tf.sign(this);
  },
  stridedSlice(this: tf.Tensor, begin: number[], end: number[], strides: number[]) {
    return tf.stridedSlice(this, begin, end, strides);
  },
  transpose(this: tf.Tensor) {
    return tf.transpose(this);
  },
});

export type Backend = "cpu" | "wasm";

/** Makes `backend` the one that TensorFlow.js computes on. */
export async function useBackend(backend: Backend): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend "${backend}" here`);
}
