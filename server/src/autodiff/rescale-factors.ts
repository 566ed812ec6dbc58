/**
 * The factors by which what is left of each layer must be multiplied, layer by layer, so that the measured mean square
 * of (ρWδ)h before the bias is a given target. Every sum is scaled inside the graph by what it measures, so that one run
 * finds the factors of all layers, each with those before it in place.
 */
import type * as Ort from "onnxruntime-node";
import { GraphBuilder, type Value } from "../graph/builder.js";
import { type Graph, intAttribute, type Node } from "../graph/graph.js";
import { reachable } from "../graph/reachable.js";
import { valueNames } from "../graph/rebuild.js";
import { Program } from "../runtime/program.js";
import { onnxRuntime } from "../runtime/session.js";
import type { ValueTypes } from "../graph/value-type.js";
import { constantTensor } from "./constant-tensor.js";
import { type LayerSum, layerSums } from "./layer-sums.js";
import { extended, judgedNetwork, type SensitivityInput } from "./plan.js";
import type { PerWeight } from "./sensitivity.js";

/** What a layer's sum is to become. */
export interface RescaleTarget {
  /** Mean square before the bias, over outputs that have weights left. */
  readonly meanSquare: number;
  /** Share of the outputs that have weights left. */
  readonly living: number;
}

/**
 * @param weights elements of every weight as they are after pruning.
 * @param targets null for layers that are left alone.
 * @returns factors in the order of the weights; null for layers that are left alone, or cannot be rescaled this way
 * (fused operators, Gemm with a beta), or to which no signal comes.
 */
export async function rescaleFactors(
  input: SensitivityInput,
  weights: PerWeight,
  targets: readonly (RescaleTarget | null)[],
): Promise<readonly (number | null)[]> {
  const { data, threads, source, checkpoint } = input;
  input.progress("preparing rescaling", 0, 0);
  const { trainable, judged, count } = await judgedNetwork(input, { perSample: false, temperature: 1 });
  const b = new GraphBuilder("rescale/", valueNames(judged.graph));
  const scaled = new Map<Node, readonly Node[]>();
  const factors = new Map<number, Value>();
  for (const sum of layerSums(judged.graph, trainable.weights)) {
    const target = targets[sum.layer] ?? null;
    if (target === null || !canScale(sum)) continue;
    const from = b.nodes.length;
    factors.set(sum.layer, scaleSum(b, sum, target, judged.types));
    scaled.set(sum.node, b.nodes.splice(from));
  }
  const made = [...factors.values()];
  if (made.length === 0) return weights.map(() => null);
  const nodes = judged.graph.nodes.flatMap((node) => scaled.get(node) ?? [node]);
  // Labels and targets enter the loss alone, which is not run.
  const ofLoss = new Set(judged.lossInputs.map(({ value }) => value.name));
  const inputs = judged.graph.inputs.filter(({ name }) => !ofLoss.has(name));
  const graph: Graph = extended({ ...judged.graph, inputs, nodes }, b, []);
  const { Tensor } = await onnxRuntime();
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [i, weight] of input.weights.entries()) {
    const name = trainable.weights[i] ?? null;
    if (name !== null) feeds[name] = new Tensor("float32", weights[i]!, weight.shape);
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
    // Over several runs the factors' squares average as the mean squares do that they are made of.
    const inverse = new Map<number, number>();
    for (let run = 0; run < runs; run++) {
      input.progress("rescaling", run, runs);
      await checkpoint();
      const batch = await data.batch(run * count, count);
      const found = await program.run({ ...feeds, ...batch.feeds }, made);
      for (const [layer, value] of factors) {
        const factor = Number(found[value]!.data[0]);
        inverse.set(layer, (inverse.get(layer) ?? 0) + 1 / factor ** 2 / runs);
      }
    }
    return weights.map((_, layer) => {
      const factor = 1 / Math.sqrt(inverse.get(layer) ?? NaN);
      return Number.isFinite(factor) && factor > 0 ? factor : null;
    });
  } finally {
    await program.close();
  }
}

/** Operators whose bias can be taken out and added behind. */
function canScale({ node }: LayerSum): boolean {
  if (node.domain !== "") return false;
  return node.op !== "Gemm" || (node.attributes.get("beta")?.kind !== "float" ? true : floatOf(node, "beta") === 1);
}

const floatOf = (node: Node, name: string): number => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "float" ? attribute.value : intAttribute(node, name, 1);
};

/** Replaces a sum's node by: W·x, its mean square, the factor, their product, the bias. @returns the factor. */
function scaleSum(
  b: GraphBuilder,
  { node, sum, bias, biasInNode }: LayerSum,
  target: RescaleTarget,
  types: ValueTypes,
): Value {
  const plain = b.fresh("plain");
  b.node({ ...node, inputs: biasInNode ? node.inputs.slice(0, 2) : node.inputs, outputs: [plain] });
  const square = b.op("ReduceMean", [b.mul(plain, plain)], { keepdims: 0 });
  const factor = b.op("Sqrt", [b.div(b.scalar(target.meanSquare * target.living), square)]);
  const product = b.mul(plain, factor);
  const rank = types.get(sum)?.shape?.length ?? 2;
  if (!biasInNode)
    b.node({ name: "", op: "Identity", domain: "", inputs: [product], outputs: [sum], attributes: new Map() });
  else {
    // A convolution's bias runs along the channels, Gemm's broadcasts from the last axis.
    const placed = node.op === "Gemm" ? bias! : b.reshape(bias!, [1, -1, ...Array.from({ length: rank - 2 }, () => 1)]);
    b.node({ name: "", op: "Add", domain: "", inputs: [product, placed], outputs: [sum], attributes: new Map() });
  }
  return factor;
}
