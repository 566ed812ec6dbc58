/** Job `verify`: runs original and pruned model in ONNX Runtime on the same input. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { VerifyReport } from "../../protocol/report.js";
import type { VerifyParams } from "../../protocol/requests.js";
import { compareOutputs, run } from "../runtime/compare.js";
import { syntheticInput } from "../runtime/inputs.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";

/** Memory that ONNX Runtime needs to load a model, as a multiple of its file (the protobuf and its own copy). */
const memoryPerByte = 2.2;

export async function verify(
  { path, pruned, seed, dynamicAxes }: VerifyParams,
  context: JobContext,
): Promise<VerifyReport> {
  const began = performance.now();
  const { inputs, bytes } = await withModel(path, ({ model, source }) =>
    Promise.resolve({ inputs: model.graph.inputs, bytes: source.size() }),
  );
  const { memoryLimit, threads } = context.settings;
  const needed = (memoryPerByte * bytes) / 1e6;
  if (memoryLimit > 0 && needed > memoryLimit) {
    throw new PruneScopeError(
      "out-of-memory",
      `Running this model needs about ${Math.ceil(needed)} MB, more than prunescope.engine.memoryLimit (${memoryLimit} MB) allows.`,
      { file: path },
    );
  }
  const { feeds, words } = await syntheticInput(inputs, dynamicAxes, seed);
  const step = async (done: number): Promise<void> => {
    context.progress({ stage: "Running both models", done, total: 2 });
    await context.checkpoint();
  };
  await step(0);
  const original = await run(path, feeds, threads);
  await step(1);
  const after = await run(pruned, feeds, threads);
  await step(2);
  return { input: words, outputs: compareOutputs(original, after), seconds: (performance.now() - began) / 1000 };
}
