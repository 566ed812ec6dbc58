/**
 * Whether a model's weights are as they were drawn, or trained, with the evidence: statistics of BatchNormalization,
 * biases, the distribution of each layer's weights, and the top of its spectrum. Nothing of it is proof, and every
 * verdict shows what it rests on. Light training of a small network can leave nothing to see: of networks of width 32 to
 * 128 after 300 steps, none drawn by PyTorch's default was called fresh, but 21 of 36 drawn normal and 10 of 36 orthogonal.
 *
 * `modelOrigin(sites, graph, source, between)` is all there is to call: `layerSites` gives the sites, and the cost is one
 * pass over the weights and about 20 ms a layer, before an edit as well as for the report. `model` is the verdict on the whole,
 * `layers` are in the order of the sites.
 */
import type { OriginReport, OriginVote } from "../../../protocol/insights.js";
import { batchNormState } from "../../autodiff/batch-norm-state.js";
import { storedConstant, storedElements } from "../../formats/stored-elements.js";
import type { Source } from "../../formats/source.js";
import type { Graph } from "../../graph/graph.js";
import { isQuantised } from "../../graph/prunable.js";
import { elementCount } from "../../graph/tensor.js";
import type { LayerSite } from "../sites/index.js";
import type { Fans } from "./distributions.js";
import { matrixPart } from "./matrix-part.js";
import { layerVerdict, modelVerdict } from "./verdict.js";
import { type BiasVote, biasVote, distributionVote, isMasked, spectrumVote, togetherVoted } from "./votes.js";
import { weightStatistics, type WeightStatistics } from "./weight-statistics.js";

export interface ModelOrigin {
  readonly model: OriginReport;
  /** In the order of the sites. */
  readonly layers: readonly OriginReport[];
  readonly statistics: readonly WeightStatistics[];
  /** Null where a layer has no constant bias. */
  readonly biases: readonly (WeightStatistics | null)[];
}

/** Reads every weight once. @param between called after each layer, with the elements read so far. */
export async function modelOrigin(
  sites: readonly LayerSite[],
  graph: Graph,
  source: Source,
  between: (done: number) => Promise<void>,
): Promise<ModelOrigin> {
  const statistics: WeightStatistics[] = [];
  const biases: (WeightStatistics | null)[] = [];
  const ofBiases: (BiasVote | null)[] = [];
  const ofWeights: OriginVote[][] = [];
  let done = 0;
  for (const site of sites) {
    const { weight, bias } = site;
    const elements = storedElements(source, weight);
    const found = weightStatistics(elements);
    const dense = withAbsent(found, elementCount(weight.shape));
    const stored = bias === null ? null : storedConstant(source, bias);
    const ofBias = stored === null ? null : weightStatistics(stored);
    const fans = fansOf(site);
    const coarse = isQuantised(weight);
    const part = found.nonFinite > 0 ? null : matrixPart(weight, elements);
    statistics.push(found);
    biases.push(ofBias);
    ofBiases.push(ofBias === null ? null : biasVote(ofBias, fans));
    ofWeights.push(
      [
        distributionVote(dense, fans, coarse),
        spectrumVote(part, isMasked(dense), part?.whole === true && !coarse),
      ].filter((vote) => vote !== null),
    );
    done += weight.size;
    await between(done);
  }
  const layers = togetherVoted(ofBiases, biases).map((vote, l): OriginReport => {
    const votes = [...(vote === null ? [] : [vote]), ...ofWeights[l]!];
    return { verdict: layerVerdict(votes), votes };
  });
  const model = modelVerdict(
    batchNormState(graph, source),
    layers,
    sites.map(({ weight }) => weight.size),
  );
  return { model, layers, statistics, biases };
}

/** With the elements that a sparse tensor leaves out as zeros. */
function withAbsent(found: WeightStatistics, size: number): WeightStatistics {
  const zeros = found.zeros + size - found.size;
  const stored = (found.size - found.nonFinite) / (size - found.nonFinite);
  return { ...found, size, zeros, mean: found.mean * stored, meanSquare: found.meanSquare * stored };
}

/** As frameworks count them, strides left out; a transposed convolution's they count from its outputs. */
function fansOf({ weight: { roles, shape }, form }: LayerSite): Fans | null {
  // A stored depthwise kernel may have no axis of its one input.
  if (roles.out.length === 0 || (roles.in.length === 0 && roles.groups === 1)) return null;
  const product = (axes: readonly number[]): number => axes.reduce((all, axis) => all * shape[axis]!, 1);
  const taps = product(roles.spatial);
  const [inputs, outputs] = [product(roles.in) * taps, product(roles.out) * taps];
  const hidden = form?.form === "recurrent" ? form.hidden : null;
  return form?.form === "conv-transpose"
    ? { fanIn: outputs, fanOut: inputs, hidden }
    : { fanIn: inputs, fanOut: outputs, hidden };
}
