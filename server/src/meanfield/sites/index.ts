/**
 * Where the theory meets a real graph: for every prunable weight its fan-in, its bias, the activation that follows, and
 * what takes the layer out of the theory. Weights themselves are not read.
 */
import type { TheoryLimit } from "../../../protocol/insights.js";
import type { Constant, Graph, Model } from "../../graph/graph.js";
import { type Links, linksOf } from "../../graph/links.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { constantBehind, type WeightedSum, weightedSum } from "../../graph/weighted-sum.js";
import type { Activation } from "../activations/activation.js";
import type { LayerForm } from "../fan-in.js";
import { fusedActivation } from "./activation-operators.js";
import { followingOf } from "./following.js";
import { fanInOf, layerFormOf } from "./layer-form.js";
import { RegionReader } from "./pointwise-region.js";

export interface LayerSite {
  readonly weight: PrunableWeight;
  readonly form: LayerForm | null;
  readonly fanIn: number | null;
  /** Of the weight's first use; null for recurrent layers and operators that nobody knows. */
  readonly sum: WeightedSum | null;
  /** The bias tensor; null where there is none, or it is no constant. */
  readonly bias: Constant | null;
  /** There is a bias that is computed. */
  readonly computedBias: boolean;
  /** Null where none follows that the theory knows. */
  readonly activation: Activation | null;
  readonly limits: readonly TheoryLimit[];
}

/** Whether the plain recursion of the theory holds for a layer: an activation that we know follows, and nothing else is in the way. */
export const isCovered = ({ activation, limits, fanIn }: LayerSite): boolean =>
  activation !== null && limits.length === 0 && fanIn !== null;

/** Looks at the surroundings of every weight, in their order. */
export async function layerSites(
  model: Model,
  weights: readonly PrunableWeight[],
  threads: number,
): Promise<readonly LayerSite[]> {
  const tables = new Map<Graph, Links>();
  const linksIn = (graph: Graph): Links => {
    let links = tables.get(graph);
    if (links === undefined) tables.set(graph, (links = linksOf(graph)));
    return links;
  };
  const regions = new RegionReader(model, threads);
  const sites: LayerSite[] = [];
  for (const weight of weights) {
    const { node, graph, index } = weight.uses[0]!;
    const links = linksIn(graph);
    const sum = weightedSum(links, node, index);
    const form = layerFormOf(weight);
    const bias = sum?.bias == null ? null : constantBehind(links, sum.bias);
    const known = {
      weight,
      form,
      fanIn: fanInOf(form),
      sum,
      bias,
      computedBias: sum !== null && sum.bias !== null && bias === null,
    };
    const limits = [...ownLimits(weight, form)];
    if (sum === null) {
      sites.push({ ...known, activation: null, limits });
      continue;
    }
    const fused = fusedActivation(node);
    if (fused !== null) {
      sites.push({ ...known, activation: fused, limits });
      continue;
    }
    const following = await followingOf(links, sum.preActivation, regions);
    sites.push({ ...known, activation: following.activation, limits: [...limits, ...following.limits] });
  }
  return sites;
}

/** What a weight itself is that the theory does not cover. */
function* ownLimits({ uses, dequantisation }: PrunableWeight, form: LayerForm | null): Iterable<TheoryLimit> {
  if (form === null)
    yield { kind: "unknown-axes", words: "Which of its axes are inputs is not known, so that it has no fan-in." };
  if (form?.form === "recurrent")
    yield {
      kind: "recurrent",
      words:
        "Its weights are used at every step: the theory takes weights of different layers as independent. Each path gets half of σ_w² as a start; measure the result.",
    };
  if (uses.length > 1)
    yield {
      kind: "tied",
      words: `It is used ${uses.length} times: gradients of tied weights are not independent of the forward pass, as the theory assumes; measured values are shown.`,
    };
  if (dequantisation !== null)
    yield { kind: "quantised", words: "It is quantised: drawing it anew means training and quantising again." };
}
