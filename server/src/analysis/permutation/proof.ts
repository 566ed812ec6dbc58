/**
 * Proof by running that a model with reordered channels computes what it did: both models, dense, in ONNX Runtime on the
 * same inputs. Without it nothing is saved.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Recipe } from "../../../protocol/recipe.js";
import { openDataset } from "../../data/open.js";
import type { ValueInfo } from "../../graph/graph.js";
import { allGraphs, allNodes } from "../../graph/traversal.js";
import { compareOutputs, type Outputs } from "../../runtime/compare.js";
import { type SyntheticInput, syntheticInput } from "../../runtime/inputs.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";
import { runModel } from "../run-model.js";

/**
 * Largest difference of an output over its largest element. Sums run in another order: float32 rounds each step by 6e-8,
 * which grew to 5e-6 at most in the networks that this was tried on, and one vector that stays behind makes 1e-2 and more.
 */
const tolerance = 1e-4;

/** Rounding of float16 is 8,000 times coarser, of bfloat16 65,000 times; one step of int8 is 1/256 of its range. */
const coarseTolerance = 5e-2;

/** What outputs may differ by whatever their size: the runtime's Sigmoid and Softmax are exact to about 1e-7 of 1. */
const leastDifference = 5e-7;

/** Samples of a person's data that are run at once. */
const mostSamples = 8;

/**
 * Runs the model and its copy at `path`. @returns what was found, in sentences.
 * @throws PruneScopeError `internal` when they differ by more than rounding; what ONNX Runtime says when the model runs on no
 * input that can be made up, nor on the recipe's data.
 */
export async function provePermuted(
  open: OpenModel,
  path: string,
  recipe: Recipe,
  context: JobContext,
): Promise<string[]> {
  const lines: string[] = [];
  let failure: unknown = null;
  for (const make of inputsFor(open, recipe)) {
    if (make.only !== "always" && lines.length > 0 !== (make.only === "after")) continue;
    context.progress({ stage: "Running the reordered model", done: lines.length, total: 2 });
    await context.checkpoint();
    let input: SyntheticInput;
    let before: Outputs;
    try {
      input = await make.input();
      before = await runModel(open.source.main, input.feeds, context.settings.threads);
    } catch (error) {
      if (!(error instanceof PruneScopeError) || error.code === "cancelled") throw error;
      failure ??= error;
      continue;
    }
    const words = compared(open, before, await runModel(path, input.feeds, context.settings.threads));
    if (words !== null) lines.push(`Run on ${input.words}, ${words}`);
  }
  if (lines.length > 0) return lines;
  const said = failure instanceof PruneScopeError ? failure.message : "No output is a finite number other than 0.";
  throw new PruneScopeError(
    failure instanceof PruneScopeError ? failure.code : "non-finite",
    `Nothing is saved, because it cannot be proved by running that the model with reordered channels computes the same: ${said} Give data that it runs on, or leave out the permutation.`,
    { file: open.path },
    { cause: failure },
  );
}

interface MadeInput {
  readonly input: () => Promise<SyntheticInput>;
  /** Tried in every case, only after another proof, or only while there is none. */
  readonly only: "after" | "always" | "without";
}

/** Inputs to try: made up; of two samples, where the batch is free, so that an order across samples shows; the person's data. */
function* inputsFor({ model }: OpenModel, recipe: Recipe): Iterable<MadeInput> {
  const { inputs } = model.graph;
  const { axes, seed, data } = recipe;
  yield { input: () => syntheticInput(inputs, axes, seed), only: "always" };
  const free = inputs.filter((input) => isFree(input, recipe));
  const two = Object.fromEntries(free.flatMap((input) => keysOf(input).map((key) => [key, 2])));
  if (free.length > 0) yield { input: () => syntheticInput(inputs, { ...axes, ...two }, seed), only: "after" };
  if (data === undefined) return;
  yield {
    input: async () => {
      const { mean, std, batch } = recipe;
      const set = await openDataset(data, model.graph, {
        seed,
        dynamicAxes: axes,
        batch: Math.min(batch, mostSamples),
        ...(mean === undefined ? {} : { mean }),
        ...(std === undefined ? {} : { std }),
      });
      const { feeds } = await set.batch(0, set.samplesPerRun ?? set.samples);
      return { feeds, words: set.words };
    },
    only: "without",
  };
}

/** Names by which the first axis of an input is bound. */
const keysOf = ({ name, shape }: ValueInfo): string[] => {
  const first = shape?.[0];
  return typeof first === "string" ? [first] : [`${name}:0`];
};

const isFree = (input: ValueInfo, { axes }: Recipe): boolean =>
  input.shape !== null && typeof input.shape[0] !== "number" && !keysOf(input).some((key) => key in axes);

/** The largest difference in words; null where nothing can be compared. @throws PruneScopeError when it is too large. */
function compared(open: OpenModel, before: Outputs, after: Outputs): string | null {
  const real = new Map([...before].filter(([, { type }]) => type.startsWith("float")));
  const coarse = isCoarse(open) || [...real.values()].some(({ type }) => type === "float16");
  // Where all outputs are whole numbers they have to be the same.
  const [wanted, allowed] = real.size > 0 ? [real, coarse ? coarseTolerance : tolerance] : [before, 0];
  let worst: { readonly relative: number; readonly difference: number; readonly largest: number } | null = null;
  for (const { name, maxDifference, maxOriginal } of compareOutputs(wanted, after)) {
    const same = before.get(name)!.dims.join() === after.get(name)!.dims.join();
    if (maxDifference === null && !same) continue;
    const difference = maxDifference ?? Infinity;
    if (difference > allowed * maxOriginal + (allowed > 0 ? leastDifference : 0)) {
      throw new PruneScopeError(
        "internal",
        `The model with reordered channels does not compute what ${open.path} does: output "${name}" differs by ${maxDifference === null ? "numbers that are none" : difference.toPrecision(2)}, and its largest is ${maxOriginal.toPrecision(2)}. Nothing was saved; leave out the permutation.`,
        { file: open.path, value: name },
      );
    }
    if (maxOriginal > 0 && difference / maxOriginal >= (worst?.relative ?? 0))
      worst = { relative: difference / maxOriginal, difference, largest: maxOriginal };
  }
  if (worst === null) return null;
  const { relative, difference, largest } = worst;
  return `the dense model with reordered channels computes what it did: the largest difference is ${difference.toPrecision(2)} where the largest output is ${largest.toPrecision(3)}, ${relative.toPrecision(2)} of it (allowed ${allowed}${allowed > 0 ? ` and ${leastDifference}` : ""}).`;
}

/** Whether numbers are rounded on the way to far fewer digits than float32 has. */
function isCoarse({ model: { graph } }: OpenModel): boolean {
  for (const { node } of allNodes(graph)) if (/Quantize|QLinear/.test(node.op)) return true;
  for (const one of allGraphs(graph))
    for (const { tensor } of one.constants.values())
      if (tensor.dtype === "float16" || tensor.dtype === "bfloat16") return true;
  return false;
}
