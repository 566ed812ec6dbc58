/**
 * Job `held`: what the layers of a file hold before anything is pruned: zeros, N:M patterns, empty channels, sparse
 * storage, weights with several uses. One pass over the prunable weights; a layer without a pattern drops out of the
 * counting of groups at its first group that is too full, and of channels when each has a weight.
 */
import type { HeldParams } from "../../protocol/requests.js";
import type { HeldLayer, HeldReport } from "../../protocol/sparsity.js";
import { toErrorData } from "../../protocol/errors.js";
import { blockElements } from "../formats/stored-elements.js";
import { nodeLabel } from "../graph/graph.js";
import { Tracer, passesWeights } from "../graph/origin.js";
import { layerLabel, type PrunableWeight } from "../graph/prunable.js";
import { elementCount, storageKey } from "../graph/tensor.js";
import { allNodes } from "../graph/traversal.js";
import { channelLayout, ChannelMarks } from "../pruning/empty-channels.js";
import { GroupTally, piecesOf, ungrouped } from "../pruning/pattern/count.js";
import { patternFit } from "../pruning/pattern/eligibility.js";
import { type NonZeros, nonZerosOf } from "../pruning/pattern/non-zero.js";
import { groupSizes, loosest, strictestPatterns } from "../pruning/pattern/strictest.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";

export async function held({ path }: HeldParams, context: JobContext): Promise<HeldReport> {
  const began = performance.now();
  return withModel(path, async (open) => {
    const { weights } = open.search;
    const total = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const users = usersOf(open);
    const layers: HeldLayer[] = [];
    let done = 0;
    for (const weight of weights) {
      context.progress({ stage: "Counting zeros", done, total });
      await context.checkpoint();
      layers.push(heldLayer(open, weight, users.get(storageKey(weight.tensor)) ?? []));
      done += elementCount(weight.shape);
    }
    const prunable = layers.reduce((sum, { parameters }) => sum + parameters, 0);
    const zeros = layers.reduce((sum, layer) => sum + layer.zeros, 0);
    const sparsity = prunable === 0 ? 0 : zeros / prunable;
    return { prunable, zeros, sparsity, layers, seconds: (performance.now() - began) / 1000 };
  });
}

function heldLayer(open: OpenModel, weight: PrunableWeight, sharedBy: readonly string[]): HeldLayer {
  const parameters = elementCount(weight.shape);
  const known = {
    id: weight.id,
    ...layerLabel(weight),
    weight: weight.name,
    parameters,
    storedSparsely: weight.sparse,
  };
  let elements: NonZeros;
  try {
    elements = nonZerosOf(open.source, weight);
  } catch (error) {
    if (!weight.sparse) throw error;
    // How many zeros there are is known without their places.
    const zeros = parameters - weight.size;
    const unchecked = toErrorData(error).message;
    const nothing = { patterns: [], emptyOutputs: null, emptyInputs: null, sharedBy, unchecked };
    return { ...known, zeros, sparsity: zeros / parameters, ...nothing };
  }
  const layouts = groupSizes.flatMap((m) => patternFit({ ...weight, sparse: false }, { n: 1, m }).layout ?? []);
  let tallies = layouts.map((layout) => ({ m: layout.m, tally: new GroupTally(layout, loosest(layout.m)) }));
  const [outputs, inputs] = (["out", "in"] as const).map((role) => {
    const layout = channelLayout(weight, role);
    return layout === null ? null : { marks: new ChannelMarks(layout), of: layout.total };
  });
  const flags = new Uint8Array(Math.min(elements.size, blockElements));
  let full = 0;
  for (const piece of piecesOf(layouts.at(-1) ?? ungrouped(elements.size))) {
    const count = piece.rows * piece.width;
    full += elements.read(piece.start, count, flags);
    for (const { tally } of tallies) tally.add(flags, piece);
    if (tallies.some(({ tally }) => tally.violations > 0))
      tallies = tallies.filter(({ tally }) => tally.violations === 0);
    outputs?.marks.add(flags, piece.start, count);
    inputs?.marks.add(flags, piece.start, count);
  }
  const channels = (side: typeof outputs): HeldLayer["emptyOutputs"] =>
    side == null ? null : { count: side.marks.empty, of: side.of };
  return {
    ...known,
    zeros: parameters - full,
    sparsity: (parameters - full) / parameters,
    patterns: strictestPatterns(new Map(tallies.map(({ m, tally }) => [m, tally.most]))),
    emptyOutputs: channels(outputs),
    emptyInputs: channels(inputs),
    sharedBy,
  };
}

/** Nodes that use each stored tensor, by its storage, where they are several; a Gather of a tied embedding is one too. */
function usersOf({ model }: OpenModel): Map<string, string[]> {
  const tracer = new Tracer();
  const users = new Map<string, Set<string>>();
  for (const { node, graph } of allNodes(model.graph)) {
    if (passesWeights(node)) continue;
    for (const input of node.inputs) {
      const constant = input === "" ? undefined : tracer.trace(graph, input)?.constant;
      if (constant === undefined || constant.tensor.path === "") continue;
      const key = storageKey(constant.tensor);
      const known = users.get(key);
      if (known === undefined) users.set(key, new Set([nodeLabel(node)]));
      else known.add(nodeLabel(node));
    }
  }
  return new Map([...users].filter(([, names]) => names.size > 1).map(([key, names]) => [key, [...names]]));
}
