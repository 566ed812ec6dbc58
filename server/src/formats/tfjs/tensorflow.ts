/**
 * TensorFlow.js itself, loaded on first use: jobs on other formats never pay for it. In the engine it only rebuilds
 * topologies; models run in a process of their own.
 */
import type * as Core from "@tensorflow/tfjs-core";
import type * as Layers from "@tensorflow/tfjs-layers";

export interface TensorFlow {
  readonly core: typeof Core;
  readonly layers: typeof Layers;
}

let loaded: Promise<TensorFlow> | undefined;

/** TensorFlow.js on its cpu backend, which needs nothing but JavaScript. */
export function tensorFlow(): Promise<TensorFlow> {
  return (loaded ??= load());
}

async function load(): Promise<TensorFlow> {
  const core = await import("@tensorflow/tfjs-core");
  // Else it advertises itself on the console.
  core.enableProdMode();
  await import("@tensorflow/tfjs-backend-cpu");
  const layers = await import("@tensorflow/tfjs-layers");
  await core.setBackend("cpu");
  return { core, layers };
}
