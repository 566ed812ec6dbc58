/**
 * Proof by running that a saved Stable ResNet computes what it should: the saved file in ONNX Runtime, against the graph
 * that it was made from with Muls put in by us, in memory, on the same seeded input. Weights are those of the saved
 * file, masked and rescaled as they may be; where factors were folded in, those of the original under the saved mask.
 */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../../protocol/errors.js";
import type { DynamicAxes } from "../../../protocol/requests.js";
import { constantTensor } from "../../autodiff/constant-tensor.js";
import type { InputScale } from "../../formats/format.js";
import { constantBytes } from "../../formats/constant-bytes.js";
import { blockElements, storedConstant } from "../../formats/stored-elements.js";
import type { Constant, Graph } from "../../graph/graph.js";
import { rebuilt, withSubgraphs } from "../../graph/rebuild.js";
import { withScaledInputs } from "../../graph/scaled-inputs.js";
import { storedType } from "../../graph/tensor.js";
import { allGraphs } from "../../graph/traversal.js";
import { compareOutputs, type Outputs } from "../../runtime/compare.js";
import { boundShapes, syntheticInput, type SyntheticInput } from "../../runtime/inputs.js";
import { Program } from "../../runtime/program.js";
import type { JobContext } from "../jobs.js";
import { type OpenModel, withModel } from "../open-model.js";
import { runModel } from "../run-model.js";

/**
 * Largest difference of an output over its largest element. Rounding of float32 (6e-8) grows over some hundred layers to
 * 1e-5 at most in the networks that this was tried on; one branch of L = 100 that misses its factor makes several 1e-2.
 */
const tolerance = 1e-3;

/** Rounding of float16 is 8,000 times coarser, of bfloat16 65,000 times. */
const coarseTolerance = 5e-2;

export interface StableProof {
  /** Largest difference over the largest element, over all outputs; null where nothing could be compared. */
  readonly difference: number | null;
  /** What was run and found, or why nothing was. */
  readonly words: string;
}

export interface ProofOptions {
  /** Tensors that hold their factors, of `base`; none where nodes do. */
  readonly folded: readonly Constant[];
  readonly axes: DynamicAxes;
  readonly seed: number;
}

/**
 * Runs the saved model at `path`, and `base`, from which it was made, with `scales` in its graph.
 * @throws PruneScopeError `write-failed` when they differ by more than rounding. What ONNX Runtime cannot run is no
 * failure: the proof says so.
 */
export async function proveStable(
  base: OpenModel,
  path: string,
  scales: readonly InputScale[],
  { folded, axes, seed }: ProofOptions,
  context: JobContext,
): Promise<StableProof> {
  const step = async (done: number): Promise<void> => {
    context.progress({ stage: "Running the stable model", done, total: 2 });
    await context.checkpoint();
  };
  await step(0);
  const { threads } = context.settings;
  let input: SyntheticInput;
  let wanted: Outputs;
  try {
    input = await syntheticInput(base.model.graph.inputs, axes, seed);
    const { feeds } = input;
    wanted = await withModel(path, (saved) => reference(base, saved, scales, folded, feeds, axes, context));
  } catch (error) {
    return notRun(error);
  }
  await step(1);
  let found: Outputs;
  try {
    found = await runModel(path, input.feeds, threads);
  } catch (error) {
    // A file that the runtime did not take before (for its size, say) it need not take now.
    const before = await runModel(base.source.main, input.feeds, threads).catch(() => null);
    if (before === null) return notRun(error);
    throw failed(path, `cannot be run any more: ${(error as Error).message}`, error);
  }
  await step(2);
  const real = new Map([...wanted].filter(([, { type }]) => type.startsWith("float")));
  const outputs = compareOutputs(real, found);
  const coarse = [...real.values()].some(({ type }) => type === "float16") || holdsHalves(base.model.graph);
  const relative = outputs.flatMap(({ maxDifference, maxOriginal }) =>
    maxDifference === null ? [] : [maxOriginal === 0 ? maxDifference : maxDifference / maxOriginal],
  );
  if (relative.length === 0)
    return { difference: null, words: "No output is a finite number that could be compared as a proof." };
  const difference = Math.max(...relative);
  const allowed = coarse ? coarseTolerance : tolerance;
  if (difference > allowed) {
    throw failed(
      path,
      `does not compute what a Stable ResNet should: outputs differ by ${difference.toPrecision(2)} of the largest`,
    );
  }
  return {
    difference,
    words: `Run on ${input.words}, the saved model computes what the model with scaled branches does: the largest difference is ${difference.toPrecision(2)} of the largest output (allowed ${allowed}).`,
  };
}

function notRun(error: unknown): StableProof {
  if (!(error instanceof PruneScopeError) || error.code === "cancelled" || error.code === "write-failed") throw error;
  return { difference: null, words: `The stable model could not be run as a proof: ${error.message}` };
}

const failed = (path: string, what: string, cause?: unknown): PruneScopeError =>
  new PruneScopeError("write-failed", `${path} ${what}. Do not use it.`, { file: path }, { cause });

/** Outputs of `base` with the numbers of `saved` and with `scales`. */
async function reference(
  base: OpenModel,
  saved: OpenModel,
  scales: readonly InputScale[],
  folded: readonly Constant[],
  feeds: Record<string, Ort.Tensor>,
  axes: DynamicAxes,
  context: JobContext,
): Promise<Outputs> {
  const { model } = base;
  const there = new Map<string, Constant>();
  for (const graph of allGraphs(saved.model.graph))
    for (const constant of graph.constants.values()) there.set(`${graph.path}\n${constant.name}`, constant);
  const masked = new Map<Constant, Constant>();
  const constantIn = (graph: Graph, constant: Constant): Constant => {
    // What the graph alone holds is no number of the file, and may have another name there.
    if (constant.tensor.path === "") return constant;
    const other = there.get(`${graph.path}\n${constant.name}`);
    if (other === undefined) throw failed(saved.source.main, `has no "${constant.name}"`);
    if (!folded.includes(constant)) return other;
    const marked: Constant = { ...constant, inline: null };
    masked.set(marked, other);
    return marked;
  };
  const graph = withScaledInputs(withConstants(model.graph, null, constantIn), scales);
  const outputs = graph.outputs.map(({ name }) => name);
  const shapes = boundShapes(graph.inputs, axes);
  const program = await Program.open(model, graph, {
    outputs,
    inputShapes: shapes,
    threads: context.settings.threads,
    optimise: false,
    constant: async (constant) => {
      await context.checkpoint();
      const other = masked.get(constant);
      return other === undefined
        ? constantTensor(saved.source, constant)
        : constantTensor(base.source, underMask(base, constant, saved, other));
    },
  });
  try {
    return new Map(Object.entries(await program.run(feeds)));
  } finally {
    await program.close();
  }
}

/** A copy of a graph with other constants of the same names; nodes without graphs inside stay the same objects. */
function withConstants(
  graph: Graph,
  parent: Graph | null,
  constantIn: (graph: Graph, constant: Constant) => Constant,
): Graph {
  return rebuilt(graph, parent, (made) => ({
    constants: new Map([...graph.constants].map(([name, constant]) => [name, constantIn(graph, constant)])),
    nodes: graph.nodes.map((node) => withSubgraphs(node, (inner) => withConstants(inner, made, constantIn))),
  }));
}

/** The numbers of `constant` in `base`, 0 where those of its counterpart in `saved` are. */
function underMask(base: OpenModel, constant: Constant, saved: OpenModel, other: Constant): Constant {
  const own = storedConstant(base.source, constant);
  const kept = storedConstant(saved.source, other);
  if (own === null || kept === null || own.size !== kept.size)
    throw failed(saved.source.main, `holds another "${constant.name}"`);
  const inline = constantBytes(base.source, constant);
  const bytesEach = inline.length / Math.max(1, own.size);
  const values = new Float64Array(blockElements);
  for (let start = 0; start < own.size; start += blockElements) {
    const count = Math.min(blockElements, own.size - start);
    kept.readExact(start, count, values.subarray(0, count));
    for (let i = 0; i < count; i++)
      if (values[i] === kept.zero) inline.fill(0, (start + i) * bytesEach, (start + i + 1) * bytesEach);
  }
  return { ...constant, inline };
}

const holdsHalves = (graph: Graph): boolean =>
  [...allGraphs(graph)].some((one) =>
    [...one.constants.values()].some(({ tensor }) => ["bfloat16", "float16"].includes(storedType(tensor))),
  );
