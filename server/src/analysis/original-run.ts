/** Runs a person's model in TensorFlow.js on what a graph of ours is fed, and gives its outputs as tensors of ONNX Runtime. */
import type * as Ort from "onnxruntime-node";
import { type Backends, backendsFor } from "../tfjs/backends.js";
import type { TfjsTensor } from "../tfjs/messages.js";
import { type OriginalRun, TfjsRuntime } from "../tfjs/tfjs-runtime.js";
import { onnxRuntime } from "../runtime/session.js";
import type { JobContext } from "./jobs.js";

/** Outputs by names of TensorFlow.js', in the model's order; or why there are none. */
export type OriginalOutputs =
  | (Omit<Extract<OriginalRun, { readonly version: string }>, "outputs"> & {
      readonly outputs: readonly (readonly [name: string, tensor: Ort.Tensor])[];
    })
  | Extract<OriginalRun, { readonly reason: string }>;

/** The backends that `context` leaves to try. */
export function backendsIn({ settings, tfjs }: JobContext): Backends {
  return backendsFor(settings.tfjsNodePath ?? "", tfjs);
}

/**
 * Runs the model at `path` once, with the first of the backends that does.
 * @throws PruneScopeError as `TfjsRuntime.run` does.
 */
export async function originalOutputs(
  path: string,
  feeds: Readonly<Record<string, Ort.Tensor>>,
  backends: Backends,
  context: JobContext,
): Promise<OriginalOutputs> {
  const inputs: TfjsTensor[] = [];
  for (const [name, tensor] of Object.entries(feeds)) {
    const input = toTfjs(name, tensor);
    if (input === null)
      return { outputs: null, reason: `TensorFlow.js has no elements of type ${tensor.type}, as input "${name}" has.` };
    inputs.push(input);
  }
  const runtime = new TfjsRuntime({
    ...backends,
    script: context.tfjs,
    memoryLimit: context.settings.memoryLimit,
    checkpoint: () => context.checkpoint(),
  });
  try {
    const run = await runtime.run({ path, inputs });
    if (run.outputs === null) return run;
    const { Tensor } = await onnxRuntime();
    const outputs = run.outputs.map(({ name, dtype, data, shape }) => {
      return [name, new Tensor(dtype, data as Float32Array, shape)] as const;
    });
    return { ...run, outputs };
  } finally {
    runtime.close();
  }
}

/** A fed tensor in the types of TensorFlow.js, which has no integers but of 32 bits; null where there is none. */
function toTfjs(name: string, { type, dims: shape, data }: Ort.Tensor): TfjsTensor | null {
  switch (type) {
    case "float32":
      return { name, shape, dtype: "float32", data: data as Float32Array };
    case "int32":
      return { name, shape, dtype: "int32", data: data as Int32Array };
    case "int64":
      return { name, shape, dtype: "int32", data: Int32Array.from(data as BigInt64Array, Number) };
    case "bool":
      return { name, shape, dtype: "bool", data: data as Uint8Array };
    default:
      return null;
  }
}
