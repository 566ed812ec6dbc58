/**
 * Job `parity`: the person's model in TensorFlow.js against the graph that it was lowered to in ONNX Runtime, on the same
 * seeded input. What differs is an error. The result is kept with the file's fingerprint, so that it is found out once.
 */
import { createHash } from "node:crypto";
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { ParityOutput, ParityReport, ProvenParity } from "../../protocol/parity.js";
import type { DynamicAxes, ParityParams } from "../../protocol/requests.js";
import type { ValueInfo } from "../graph/graph.js";
import { indexBounds } from "../data/index-bounds.js";
import { compareOutputs, type Outputs } from "../runtime/compare.js";
import { type SyntheticInput, syntheticInput } from "../runtime/inputs.js";
import { version } from "../version.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";
import { backendsIn, type OriginalOutputs, originalOutputs } from "./original-run.js";
import { ResultCache } from "./result-cache.js";
import { bytesToRun, requireRunMemory } from "./run-memory.js";
import { runLowered } from "./run-model.js";
import { unlowered } from "./unlowered.js";

/** What rounding may do: sums of some thousand float32 products in another order. */
const tolerance = 1e-5;

/** Where that is exceeded: so many times what TensorFlow.js' own backends differ by. */
const backendFactor = 4;

/** What whole numbers are below that look up no table: a byte's values. */
const byteValues = 256;

/** Height and width of images where a model leaves them free: any prove as much, and large ones take minutes. */
const freeImageAxis = 64;

/** The result of a comparison; `relative` is Infinity where outputs cannot be compared. */
type Measured = ProvenParity;

/**
 * Compares both. @throws PruneScopeError `parity` where they differ by more than is allowed; what running either of them
 * throws.
 */
export function parity({ path, seed, dynamicAxes }: ParityParams, context: JobContext): Promise<ParityReport> {
  return withModel(path, (open) => parityOf(open, seed, dynamicAxes, context));
}

/** {@link parity} of a model that is open. */
export async function parityOf(
  open: OpenModel,
  seed: number,
  axes: DynamicAxes,
  context: JobContext,
): Promise<ParityReport> {
  const began = performance.now();
  const unproven = (reason: string): ParityReport => ({
    proven: false,
    reason,
    seconds: (performance.now() - began) / 1000,
  });
  if (open.format.runs) return unproven("ONNX Runtime runs the file itself, so that there is nothing to compare.");
  const left = unlowered(open.model.graph);
  if (left !== null) return unproven(`${left} could not be lowered, and the rest is no whole model.`);

  const { storage, settings } = context;
  const cache = storage === null ? null : new ResultCache(storage, settings.cacheMaxSize);
  const known = [version, open.fingerprint, seed, Object.entries(axes).sort(), backendsIn(context)];
  const key = `parity-${createHash("sha256").update(JSON.stringify(known)).digest("hex").slice(0, 32)}`;
  const kept = cache?.get(key) as Measured | null | undefined;
  const measured = kept ?? (await measure(open, seed, axes, context));
  if (typeof measured === "string") return unproven(measured);
  if (kept === null) cache?.put(key, measured);
  requireAgreement(measured, open.path);
  return measured;
}

/**
 * {@link parityOf} for what goes on where nothing can be said: what keeps both from being compared becomes the reason.
 * @throws PruneScopeError `parity` where they differ, `cancelled`.
 */
export async function refuseMismatch(
  open: OpenModel,
  seed: number,
  axes: DynamicAxes,
  context: JobContext,
): Promise<ParityReport> {
  try {
    return await parityOf(open, seed, axes, context);
  } catch (error) {
    if (!(error instanceof PruneScopeError) || error.code === "parity" || error.code === "cancelled") throw error;
    return { proven: false, reason: error.message, seconds: 0 };
  }
}

/** Runs both and compares; a sentence says why that was not possible. */
async function measure(
  open: OpenModel,
  seed: number,
  axes: DynamicAxes,
  context: JobContext,
): Promise<Measured | string> {
  const began = performance.now();
  const { model, path, source, fingerprint } = open;
  requireRunMemory(path, bytesToRun(open), context.settings.memoryLimit);
  const step = async (stage: string, done: number): Promise<void> => {
    context.progress({ stage, done, total: 2 });
    await context.checkpoint();
  };
  await step("Running the lowered graph in ONNX Runtime", 0);
  const { inputs } = model.graph;
  const { feeds, words, lowered } = await runOnSynthetic(open, { ...freeImageAxes(inputs), ...axes }, seed, context);
  await step("Running the original in TensorFlow.js", 1);
  const backends = backendsIn(context);
  const original = await originalOutputs(source.main, feeds, backends, context);
  if (original.outputs === null) return original.reason;
  const outputs = compared(original.outputs, lowered);
  const relative = largest(outputs);
  let allowed = tolerance;
  if (relative > tolerance && Number.isFinite(relative)) {
    const between = await backendDifference(source.main, feeds, original, context);
    allowed = Math.max(tolerance, backendFactor * between);
  }
  if (source.fingerprint() !== fingerprint) {
    const message = `${path} changed while it was compared with its lowered graph. Analyse it again.`;
    throw new PruneScopeError("changed-on-disk", message, { file: path });
  }
  const { backend, version: tfjs, passedOver } = original;
  return {
    proven: true,
    backend,
    version: tfjs,
    reason: passedOver.join(" "),
    input: words,
    outputs,
    relative,
    allowed,
    seconds: (performance.now() - began) / 1000,
  };
}

interface LoweredRun extends SyntheticInput {
  readonly lowered: Outputs;
}

/**
 * The lowered graph on a made-up input. Whole numbers are spread over the rows of the table that they look up, else over
 * the values of a byte where the model takes these: on a sequence of two values some networks cancel to nothing but
 * rounding, on which no two runtimes agree.
 */
async function runOnSynthetic(
  open: OpenModel,
  axes: DynamicAxes,
  seed: number,
  { settings }: JobContext,
): Promise<LoweredRun> {
  const { graph } = open.model;
  const run = async (bounds: ReadonlyMap<string, number>): Promise<LoweredRun> => {
    const input = await syntheticInput(graph.inputs, axes, seed, bounds);
    return { ...input, lowered: await runLowered(open, input.feeds, settings.threads) };
  };
  const tables = indexBounds(graph);
  const free = graph.inputs.filter(({ name, dtype }) => /^u?int/.test(dtype) && !tables.has(name));
  if (free.length === 0) return run(tables);
  try {
    return await run(new Map([...tables, ...free.map(({ name }) => [name, byteValues] as const)]));
  } catch (error) {
    if (!(error instanceof PruneScopeError) || error.code === "cancelled") throw error;
    return run(tables);
  }
}

/** Lengths for free heights and widths of images in TensorFlow's order of axes. */
function freeImageAxes(inputs: readonly ValueInfo[]): DynamicAxes {
  return Object.fromEntries(
    inputs.flatMap(({ name, shape }) =>
      shape?.length === 4 ? [1, 2].map((axis) => [`${name}:${axis}`, freeImageAxis] as const) : [],
    ),
  );
}

/**
 * Outputs of both side by side: by name where TensorFlow.js has all names of ours, else by order.
 * @returns for another number of outputs what cannot be compared.
 */
function compared(
  original: readonly (readonly [name: string, tensor: Ort.Tensor])[],
  lowered: Outputs,
): ParityOutput[] {
  const byName = new Map(original.map(([name, tensor]) => [name.replace(/:0$/, ""), tensor]));
  const byOrder = original.length === lowered.size;
  const names = [...lowered.keys()];
  const all = names.every((name) => byName.has(name.replace(/:0$/, "")));
  if (!all && !byOrder) return names.map((name) => ({ name, maxDifference: null, relative: null }));
  const given = new Map(names.map((name, i) => [name, all ? byName.get(name.replace(/:0$/, ""))! : original[i]![1]]));
  return compareOutputs(given, lowered).map(({ name, maxDifference, maxOriginal }) => {
    const relative = maxDifference === null ? null : maxDifference === 0 ? 0 : maxDifference / maxOriginal;
    return { name, maxDifference, relative };
  });
}

const largest = (outputs: readonly ParityOutput[]): number =>
  outputs.reduce((most, { relative }) => Math.max(most, relative ?? Infinity), 0);

/** By what TensorFlow.js' backends differ on the same input; 0 where one of them does not run the model. */
async function backendDifference(
  path: string,
  feeds: Readonly<Record<string, Ort.Tensor>>,
  first: Extract<OriginalOutputs, { readonly version: string }>,
  context: JobContext,
): Promise<number> {
  context.progress({ stage: "Comparing TensorFlow.js' own backends", done: 0, total: 0 });
  const on = async (kind: "wasm" | "cpu"): Promise<OriginalOutputs> =>
    first.backend === kind ? first : originalOutputs(path, feeds, { backends: [{ kind }], passedOver: [] }, context);
  const wasm = await on("wasm");
  if (wasm.outputs === null) return 0;
  const cpu = await on("cpu");
  if (cpu.outputs === null) return 0;
  const difference = largest(compared(wasm.outputs, new Map(cpu.outputs)));
  return Number.isFinite(difference) ? difference : 0;
}

/** @throws PruneScopeError `parity` where the difference is larger than allowed. */
function requireAgreement({ backend, version: tfjs, outputs, relative, allowed, input }: Measured, file: string): void {
  if (relative <= allowed) return;
  const worst = outputs.find((output) => (output.relative ?? Infinity) === relative);
  const { name = "", maxDifference = null } = worst ?? {};
  const differs =
    maxDifference === null
      ? "has another shape, or NaN stands against a number"
      : `differs by ${maxDifference.toPrecision(3)}, which is ${relative.toExponential(1)} of its largest value where ${allowed.toExponential(1)} is allowed`;
  throw new PruneScopeError(
    "parity",
    `The lowered graph does not compute what the original does: output "${name}" ${differs}. ` +
      `The original ran in TensorFlow.js ${tfjs} (${backend}) on ${input}.`,
    { file, value: name },
  );
}
