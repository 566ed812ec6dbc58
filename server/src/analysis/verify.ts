/**
 * Job `verify`: runs original and pruned model in ONNX Runtime on the same input, and what was lowered for that in
 * TensorFlow.js too.
 */
import type { VerifyReport } from "../../protocol/report.js";
import type { VerifyParams } from "../../protocol/requests.js";
import { compareOutputs } from "../runtime/compare.js";
import { syntheticInput } from "../runtime/inputs.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";
import { refuseMismatch } from "./parity.js";
import { bytesToRun, requireRunMemory } from "./run-memory.js";
import { runModel } from "./run-model.js";

export async function verify(
  { path, pruned, seed, dynamicAxes }: VerifyParams,
  context: JobContext,
): Promise<VerifyReport> {
  const began = performance.now();
  const { inputs, bytes } = await withModel(path, (open) =>
    Promise.resolve({ inputs: open.model.graph.inputs, bytes: bytesToRun(open) }),
  );
  const { memoryLimit, threads } = context.settings;
  requireRunMemory(path, bytes, memoryLimit);
  const { feeds, words } = await syntheticInput(inputs, dynamicAxes, seed);
  const step = async (done: number): Promise<void> => {
    context.progress({ stage: "Running both models", done, total: 2 });
    await context.checkpoint();
  };
  await step(0);
  const original = await runModel(path, feeds, threads);
  await step(1);
  const after = await runModel(pruned, feeds, threads);
  await step(2);
  const outputs = compareOutputs(original, after);
  const parity = await withModel(pruned, async (saved) =>
    saved.format.runs ? {} : { parity: await refuseMismatch(saved, seed, dynamicAxes, context) },
  );
  return { input: words, outputs, ...parity, seconds: (performance.now() - began) / 1000 };
}
