/**
 * The process that runs TensorFlow.js, `dist/tfjs.js`: says whether its backend works, then runs the models that it is
 * asked for. It ends when its parent does: at once when idle, else by the watching thread.
 */
import { toErrorData } from "../../protocol/errors.js";
import { lowerPriority } from "../process/low-priority.js";
import { watchParent } from "../process/parent-watch.js";
import { readArtifacts } from "./artifacts.js";
import { type FromTfjs, parseTfjsArguments, type RunAnswer, type RunRequest, type ToTfjs } from "./messages.js";
import { loadOriginal, runOriginal } from "./original.js";
import { loadTensorFlow, type TensorFlow, versionOf } from "./tensorflow.js";

const { parent, backend } = parseTfjsArguments(process.argv.slice(2));
lowerPriority();
watchParent(parent);
process.on("disconnect", () => process.exit());
// Ctrl+C reaches every process of a terminal; what it means is the parent's decision.
process.on("SIGINT", () => undefined);

function send(message: FromTfjs): void {
  process.send?.(message);
}

const words = (error: unknown): string => {
  const text =
    error instanceof Error ? error.message : ((error as { message?: string } | null)?.message ?? String(error));
  return text.replace(/\s+/g, " ").trim().slice(0, 500);
};

async function answer(tf: TensorFlow, { path, inputs }: RunRequest): Promise<RunAnswer> {
  let stage: "load" | "run" = "load";
  try {
    const { kind, artifacts } = readArtifacts(tf, path);
    const original = await loadOriginal(tf, kind, artifacts);
    stage = "run";
    return { type: "outputs", outputs: await runOriginal(tf, original, inputs) };
  } catch (error) {
    const data = toErrorData(error);
    return data.code === "internal"
      ? { type: "refused", stage, message: words(error) }
      : { type: "error", error: data };
  }
}

loadTensorFlow(backend).then(
  (tf) => {
    process.on("message", (request: ToTfjs) => void answer(tf, request).then(send));
    send({ type: "ready", version: versionOf(tf) });
  },
  (error: unknown) => {
    send({ type: "unusable", message: words(error) });
  },
);
