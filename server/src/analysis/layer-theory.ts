/**
 * What mean-field theory says of one layer, from statistics of its weights: σ_w² = fan_in·mean w², σ_b² = mean b², the
 * phase of the two with the activation that follows, and what to draw the layer with instead.
 */
import type { LayerTheory, PhaseView, TheoryLimit } from "../../protocol/insights.js";
import type { Constant } from "../graph/graph.js";
import { literalValues } from "../graph/literal.js";
import { elementCount } from "../graph/tensor.js";
import type { Activation } from "../meanfield/activations/activation.js";
import type { ModelOrigin } from "../meanfield/origin/index.js";
import { phaseOf } from "../meanfield/phase.js";
import { isCovered, type LayerSite } from "../meanfield/sites/index.js";
import { drawingOf, type Edges } from "../meanfield/sites/suggestion.js";
import type { Scale } from "../meanfield/variance-map.js";

/** The theory of layer `l` of the model. */
export function layerTheory(
  site: LayerSite,
  { statistics, biases, layers }: Pick<ModelOrigin, "statistics" | "biases" | "layers">,
  l: number,
  edges: Edges,
): LayerTheory {
  const { weight, fanIn, activation, bias, computedBias } = site;
  const { nonFinite, ...found } = statistics[l]!;
  // What a sparse tensor leaves out is 0.
  const stored = weight.sparse ? weight.size / elementCount(weight.shape) : 1;
  const mean = found.mean * stored;
  const meanSquare = found.meanSquare * stored;
  const sigmaW = fanIn === null || nonFinite > 0 ? null : Math.sqrt(fanIn * meanSquare);
  const sigmaB = computedBias ? null : biasDeviation(bias, biases[l] ?? null);
  const limits = withKinds(site.limits, limitsOfValues(nonFinite, sigmaW, meanSquare, sigmaB));
  const drawing = limits.some(({ kind }) => kind === "normalised") ? null : drawingOf(site, edges);
  const known = isCovered({ ...site, limits }) && sigmaW !== null && sigmaB !== null ? activation : null;
  return {
    id: weight.id,
    fanIn,
    sigmaW,
    sigmaB,
    bias: bias?.name ?? null,
    meanShare: nonFinite > 0 || meanSquare === 0 ? null : mean ** 2 / meanSquare,
    activation: activation?.name ?? null,
    limits,
    phase:
      known === null
        ? null
        : phaseView(known, { sigmaW: sigmaW ?? 0, sigmaB: sigmaB ?? 0 }, weight.size, biases[l]?.size ?? 0),
    suggestion:
      drawing === null
        ? null
        : {
            sigmaW: drawing.sigmaW,
            sigmaB: drawing.sigmaB,
            deviation: drawing.deviation,
            status: drawing.status,
            q: drawing.q,
          },
    origin: layers[l]!,
  };
}

/** √mean b²; 0 without a bias, null where its elements are not finite or cannot be read. */
function biasDeviation(bias: Constant | null, found: ModelOrigin["biases"][number]): number | null {
  if (bias === null) return 0;
  if (found !== null) return found.nonFinite > 0 ? null : Math.sqrt(found.meanSquare);
  const numbers = literalValues(bias);
  if (numbers === null || numbers.length === 0) return null;
  const meanSquare = numbers.reduce((sum, value) => sum + value ** 2, 0) / numbers.length;
  return Number.isFinite(meanSquare) ? Math.sqrt(meanSquare) : null;
}

/** The range that the maps are computed for, and the least σ_b that is not taken for 0. */
const largest = { sigmaW: 1000, sigmaB: 100 } as const;
const leastSigmaB = 1e-6;

/** What the numbers themselves take out of the theory. */
function* limitsOfValues(
  nonFinite: number,
  sigmaW: number | null,
  meanSquare: number,
  sigmaB: number | null,
): Iterable<TheoryLimit> {
  if (nonFinite > 0)
    yield { kind: "non-finite", words: `Weights that are not finite: ${nonFinite}. Mend the model first.` };
  else if (meanSquare === 0) yield { kind: "zero-variance", words: "All its weights are 0: nothing goes through it." };
  if (sigmaB === null) yield { kind: "computed-bias", words: "σ_b of its bias is not known, or not finite." };
  if ((sigmaW ?? 0) > largest.sigmaW || (sigmaB ?? 0) > largest.sigmaB)
    yield {
      kind: "out-of-range",
      words: `Its σ_w or σ_b is far from any initialisation: the maps are computed up to ${largest.sigmaW} and ${largest.sigmaB}.`,
    };
}

const withKinds = (limits: readonly TheoryLimit[], more: Iterable<TheoryLimit>): readonly TheoryLimit[] => [
  ...limits,
  ...[...more].filter(({ kind }) => !limits.some((one) => one.kind === kind)),
];

/** |χ − 1| below which drawing so few weights may be what keeps a layer off the edge. */
const nearEdge = 0.2;
/** Standard errors that count as chance. */
const errors = 3;

/**
 * The phase as measured. σ_w² of n normal weights has a standard error of √(2/n) of itself, so that a layer drawn on the
 * edge is never measured exactly there: where the phase changes within three standard errors it is called the edge.
 */
function phaseView(activation: Activation, measured: Scale, weights: number, biases: number): PhaseView {
  const scale = { sigmaW: measured.sigmaW, sigmaB: measured.sigmaB < leastSigmaB ? 0 : measured.sigmaB };
  const { phase, q, chi, vPrime, gradientDepth, explanation } = phaseOf(activation, scale);
  const view: PhaseView = { phase, q, chi, vPrime, gradientDepth, explanation };
  if (phase === "edge" || activation.jumps || Math.abs(chi - 1) > nearEdge) return view;
  const spread = (count: number): number => (count > 0 ? errors * Math.sqrt(1 / (2 * count)) : 0);
  const within = [1, -1].some((w) =>
    [1, -1].some((b) => {
      const near = {
        sigmaW: scale.sigmaW * (1 + w * spread(weights)),
        sigmaB: scale.sigmaB * (1 + b * Math.min(0.5, spread(biases))),
      };
      return inRange(near) && phaseOf(activation, near).phase !== phase;
    }),
  );
  if (!within) return view;
  const share = Number((100 * errors * Math.sqrt(2 / weights)).toPrecision(2));
  return {
    ...view,
    phase: "edge",
    explanation: `${explanation} From its weights σ_w² is known to ±${share} %, within which the layer is on the edge of chaos.`,
  };
}

const inRange = ({ sigmaW, sigmaB }: Scale): boolean =>
  sigmaW > 0 && sigmaW <= largest.sigmaW && sigmaB <= largest.sigmaB && (sigmaB === 0 || sigmaB >= leastSigmaB);
