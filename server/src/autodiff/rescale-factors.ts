/**
 * The factors by which what is left of each layer must be multiplied, layer by layer, so that the measured mean square
 * of (ρWδ)h before the bias is a given target (the rescaling trick of Hayou et al. 2021, section 4, by measurement).
 * Every sum is scaled inside the graph by what it measures, so that one run finds the factors of all layers, each with
 * those before it in place.
 */
import type * as Ort from "onnxruntime-node";
import { GraphBuilder, type Value } from "../graph/builder.js";
import { type Graph, intAttribute, type Node } from "../graph/graph.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import type { ValueTypes } from "../graph/value-type.js";
import { Program } from "../runtime/program.js";
import { onnxRuntime } from "../runtime/session.js";
import { constantTensor } from "./constant-tensor.js";
import { type LayerSum, layerSums } from "./layer-sums.js";
import { extended, judgedNetwork, type SensitivityInput } from "./plan.js";
import type { PerWeight } from "./sensitivity.js";
import { weightTensor } from "./trainable.js";

/** What a layer's sum is to become. */
export interface RescaleTarget {
  /** Mean square before the bias, over outputs that have weights left. */
  readonly meanSquare: number;
  /** Share of the outputs that have weights left. */
  readonly living: number;
}

/** Mean squares below are no signal: what is left of float32's range keeps the factor finite. */
const silence = 1e-30;

/**
 * @param weights elements of every weight as they are after pruning; null where those of the file are meant.
 * @param targets null for layers that are left alone.
 * @returns factors in the order of the weights; null for layers that are left alone, or cannot be rescaled this way
 * (fused operators, Gemm with a beta), or to which no signal comes.
 */
export async function rescaleFactors(
  input: SensitivityInput,
  weights: PerWeight,
  targets: readonly (RescaleTarget | null)[],
): Promise<readonly (number | null)[]> {
  const squares = await sumSquares(input, weights, (layer) => targets[layer] ?? null);
  return squares.map((square, layer) => {
    const target = targets[layer] ?? null;
    if (square === null || target === null || square < 2 * silence) return null;
    const factor = Math.sqrt((target.meanSquare * target.living) / square);
    return Number.isFinite(factor) && factor > 0 ? factor : null;
  });
}

/**
 * Mean squares of every layer's W·x before its bias, over all outputs, in the order of the weights; null where a layer
 * is no sum that can be measured so.
 */
export const measureSums = (input: SensitivityInput, weights: PerWeight): Promise<readonly (number | null)[]> =>
  sumSquares(input, weights, () => undefined);

/**
 * Mean squares before the bias, each layer behind those before it as they become.
 * @param targetOf what a layer is scaled to; null where it is left out, undefined where it is measured as it is.
 */
async function sumSquares(
  input: SensitivityInput,
  weights: PerWeight,
  targetOf: (layer: number) => RescaleTarget | null | undefined,
): Promise<readonly (number | null)[]> {
  const { data, threads, source, checkpoint } = input;
  input.progress("preparing rescaling", 0, 0);
  const { trainable, judged, count } = await judgedNetwork(input, { perSample: false, temperature: 1 });
  const b = new GraphBuilder("rescale/", valueNames(judged.graph));
  const replaced = new Map<Node, readonly Node[]>();
  const squares = new Map<number, Value>();
  for (const sum of layerSums(judged.graph, trainable.weights)) {
    const target = targetOf(sum.layer);
    if (target === null || !isPlain(sum)) continue;
    const from = b.nodes.length;
    squares.set(sum.layer, measuredSum(b, sum, target, judged.types));
    replaced.set(sum.node, b.nodes.splice(from));
  }
  const made = [...squares.values()];
  if (made.length === 0) return weights.map(() => null);
  const nodes = judged.graph.nodes.flatMap((node) => replaced.get(node) ?? [node]);
  // Labels and targets enter the loss alone, which is not run.
  const ofLoss = new Set(judged.lossInputs.map(({ value }) => value.name));
  const inputs = judged.graph.inputs.filter(({ name }) => !ofLoss.has(name));
  const graph: Graph = extended({ ...judged.graph, inputs, nodes }, b, []);
  const { Tensor } = await onnxRuntime();
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [i, weight] of input.weights.entries()) {
    const name = trainable.weights[i] ?? null;
    if (name === null) continue;
    const given = weights[i] ?? null;
    feeds[name] = given === null ? await weightTensor(source, weight) : new Tensor("float32", given, weight.shape);
  }
  const program = await Program.open(trainable.model, reachable(graph, made), {
    outputs: made,
    inputShapes: judged.inputShapes,
    threads,
    optimise: true,
    constant: (constant) => constantTensor(source, constant),
  });
  try {
    const runs = data.samples / count;
    const totals = new Map<number, number>();
    for (let run = 0; run < runs; run++) {
      input.progress("rescaling", run, runs);
      await checkpoint();
      const batch = await data.batch(run * count, count);
      const found = await program.run({ ...feeds, ...batch.feeds }, made);
      for (const [layer, value] of squares)
        totals.set(layer, (totals.get(layer) ?? 0) + Number(found[value]!.data[0]) / runs);
    }
    return weights.map((_, layer) => {
      const square = totals.get(layer);
      return square !== undefined && Number.isFinite(square) ? square : null;
    });
  } finally {
    await program.close();
  }
}

/** Operators whose bias can be taken out and added behind. */
const isPlain = ({ node }: LayerSum): boolean =>
  node.domain === "" && (node.op !== "Gemm" || floatOf(node, "beta") === 1);

const floatOf = (node: Node, name: string): number => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "float" ? attribute.value : intAttribute(node, name, 1);
};

/**
 * Replaces a sum's node by: W·x, its mean square, with a target their product with the factor, and the bias.
 * @returns the mean square.
 */
function measuredSum(
  b: GraphBuilder,
  { node, sum, bias, biasInNode }: LayerSum,
  target: RescaleTarget | undefined,
  types: ValueTypes,
): Value {
  const plain = b.fresh("plain");
  b.node({ ...node, inputs: biasInNode ? node.inputs.slice(0, 2) : node.inputs, outputs: [plain] });
  const square = b.op("Max", [b.op("ReduceMean", [b.mul(plain, plain)], { keepdims: 0 }), b.scalar(silence)]);
  const scaled =
    target === undefined
      ? plain
      : b.mul(plain, b.op("Sqrt", [b.div(b.scalar(target.meanSquare * target.living), square)]));
  const rank = types.get(sum)?.shape?.length ?? 2;
  if (!biasInNode)
    b.node({ name: "", op: "Identity", domain: "", inputs: [scaled], outputs: [sum], attributes: new Map() });
  else {
    // A convolution's bias runs along the channels, Gemm's broadcasts from the last axis.
    const placed = node.op === "Gemm" ? bias! : b.reshape(bias!, [1, -1, ...Array.from({ length: rank - 2 }, () => 1)]);
    b.node({ name: "", op: "Add", domain: "", inputs: [scaled, placed], outputs: [sum], attributes: new Map() });
  }
  return square;
}
