/**
 * Where the theory meets a real graph: for every prunable weight its fan-in, its bias, the activation that follows, and
 * what takes the layer out of the theory. Weights themselves are not read.
 */
import type { TheoryLimit } from "../../../protocol/insights.js";
import type { Value } from "../../graph/builder.js";
import type { Constant, Model } from "../../graph/graph.js";
import { isQuantised, type PrunableWeight } from "../../graph/prunable.js";
import { isFloat } from "../../graph/tensor.js";
import { constantBehind, type WeightedSum, weightedSum } from "../../graph/weighted-sum.js";
import type { Activation } from "../activations/activation.js";
import type { LayerForm } from "../fan-in.js";
import { fusedActivation, recurrentActivation } from "./activation-operators.js";
import { Follower } from "./following.js";
import { fanInOf, layerFormOf } from "./layer-form.js";
import { RegionReader } from "./pointwise-region.js";
import { Surroundings } from "./surroundings.js";

export interface LayerSite {
  readonly weight: PrunableWeight;
  readonly form: LayerForm | null;
  readonly fanIn: number | null;
  /** Of the weight's first use; null for recurrent layers and operators that nobody knows. */
  readonly sum: WeightedSum | null;
  /** The bias tensor; null where there is none, or it is no constant. */
  readonly bias: Constant | null;
  /** There is a bias that is computed, or no floating-point tensor. */
  readonly computedBias: boolean;
  /** Null where none follows that the theory knows. */
  readonly activation: Activation | null;
  readonly limits: readonly TheoryLimit[];
}

/** Whether the plain recursion of the theory holds for a layer: an activation that we know follows, and nothing else is in the way. */
export const isCovered = ({ activation, limits, fanIn }: LayerSite): boolean =>
  activation !== null && limits.length === 0 && fanIn !== null;

/** Looks at the surroundings of every weight, in their order. @param between called before each. */
export async function layerSites(
  model: Model,
  weights: readonly PrunableWeight[],
  threads: number,
  between: (done: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly LayerSite[]> {
  const surroundings = new Surroundings(model.graph, weights);
  const follower = new Follower(surroundings, new RegionReader(model, threads));
  const sites: LayerSite[] = [];
  for (const weight of weights) {
    await between(sites.length);
    const { node, graph, index } = weight.uses[0]!;
    const links = surroundings.links(graph);
    const sum = weightedSum(links, node, index);
    const form = layerFormOf(weight);
    const read = sum === null ? recurrentBias(weight, form) : sum.bias;
    const bias = read === null ? null : constantBehind(links, read);
    const known = {
      weight,
      form,
      fanIn: fanInOf(form),
      sum,
      bias: bias !== null && isFloat(bias.tensor.dtype) ? bias : null,
      computedBias: read !== null && (bias === null || !isFloat(bias.tensor.dtype)),
    };
    const limits = [...ownLimits(known)];
    if (sum === null) {
      const activation = form?.form === "recurrent" ? recurrentActivation(node) : null;
      sites.push({ ...known, activation, limits });
      continue;
    }
    const fused = fusedActivation(node);
    const following =
      fused === null
        ? await follower.follow({ graph, value: sum.preActivation })
        : follower.behind(fused, { graph, value: sum.preActivation });
    sites.push({ ...known, activation: following.activation, limits: [...limits, ...following.limits] });
  }
  return sites;
}

/** B of a recurrent layer, which holds the biases of both paths; it is counted with W. */
function recurrentBias({ uses }: PrunableWeight, form: LayerForm | null): Value | null {
  const { node, index } = uses[0]!;
  const value = form?.form === "recurrent" && index === 1 ? (node.inputs[3] ?? "") : "";
  return value === "" ? null : value;
}

/** What a weight itself is that the theory does not cover. */
function* ownLimits({ weight, form, computedBias }: Omit<LayerSite, "activation" | "limits">): Iterable<TheoryLimit> {
  const { uses } = weight;
  if (form === null)
    yield { kind: "unknown-axes", words: "Which of its axes are inputs is not known, so that it has no fan-in." };
  if (form?.form === "recurrent")
    yield {
      kind: "recurrent",
      words:
        "Its weights are used at every step, which the theory, with independent weights in every layer, does not cover. Input and hidden weights are drawn with half of σ_w² each, as a start; measured values are shown.",
    };
  if (uses.length > 1)
    yield {
      kind: "tied",
      words: `It is used ${uses.length} times: gradients of tied weights are not independent of the forward pass, as the theory assumes; measured values are shown.`,
    };
  if (isQuantised(weight))
    yield { kind: "quantised", words: "It is quantised: drawing it anew means training and quantising again." };
  if (computedBias)
    yield { kind: "computed-bias", words: "Its bias is computed or quantised, so that its σ_b is not known." };
}
