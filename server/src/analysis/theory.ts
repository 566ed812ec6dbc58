/**
 * Job `theory`: what mean-field theory says of the model's layers, from their weights alone: σ_w and σ_b as they are,
 * the phase, what to draw them with instead, and whether the weights look drawn or trained. Where the theory does not
 * reach, it says so.
 */
import type { EdgeView, LayerTheory, PhaseView, TheoryLimit, TheoryReport } from "../../protocol/insights.js";
import type { TheoryParams } from "../../protocol/requests.js";
import type { Constant } from "../graph/graph.js";
import { literalValues } from "../graph/literal.js";
import { elementCount } from "../graph/tensor.js";
import type { Activation } from "../meanfield/activations/activation.js";
import type { EdgeCurve, EdgePoint } from "../meanfield/edge-curve.js";
import { type EdgeOfChaos, inputScale } from "../meanfield/edge-of-chaos.js";
import { type ModelOrigin, modelOrigin } from "../meanfield/origin/index.js";
import { phaseOf } from "../meanfield/phase.js";
import { checkSigmaB } from "../meanfield/variance-map.js";
import { isCovered, type LayerSite, layerSites } from "../meanfield/sites/index.js";
import { drawingOf, Edges } from "../meanfield/sites/suggestion.js";
import { frameworks, snippet } from "../meanfield/snippets.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";
import { residualView } from "./residual-view.js";

/** @throws PruneScopeError `bad-request` for σ_b out of range. */
export async function theory({ path, sigmaB }: TheoryParams, context: JobContext): Promise<TheoryReport> {
  checkSigmaB(sigmaB);
  return withModel(path, async ({ model, source, search }) => {
    const { weights } = search;
    const sites = await layerSites(model, weights, context.settings.threads);
    const total = weights.reduce((sum, weight) => sum + weight.size, 0);
    const origin = await modelOrigin(sites, model.graph, source, async (done) => {
      context.progress({ stage: "Reading weights", done, total });
      await context.checkpoint();
    });
    const edges = new Edges(sigmaB);
    const layers: LayerTheory[] = [];
    for (const [l, site] of sites.entries()) {
      context.progress({ stage: "Looking for the edge of chaos", done: l, total: sites.length });
      await context.checkpoint();
      layers.push(layerTheory(site, origin, l, edges));
    }
    const activations = distinct(sites.flatMap(({ activation }) => activation ?? []));
    const main = mostCommon(sites);
    const point = main === null ? null : edges.pointOf(main);
    const { verdict } = origin.model;
    return {
      origin: origin.model,
      advice: adviceFor(verdict, layers),
      sigmaB,
      layers,
      edges: activations.map((activation) => edgeView(activation, edges.of(activation))),
      residual: residualView(model, weights),
      code:
        main === null || point === null
          ? {}
          : Object.fromEntries(frameworks.map((one) => [one, snippet(one, main.name, point, "normal")])),
      inputScale: point === null ? null : inputScale(point),
      notes: notesOf(sites, layers, main),
    };
  });
}

function layerTheory(
  site: LayerSite,
  { statistics, biases, layers }: ModelOrigin,
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
  const limits = [...site.limits, ...limitsOfValues(nonFinite, sigmaW, meanSquare, sigmaB)];
  const covered = { ...site, limits };
  const drawing = drawingOf(site, edges);
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
      isCovered(covered) && activation !== null && sigmaW !== null && sigmaB !== null
        ? phaseView(activation, sigmaW, sigmaB)
        : null,
    suggestion:
      drawing === null || limits.some(({ kind }) => kind === "normalised")
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
  const numbers = found === null ? literalValues(bias) : null;
  const meanSquare =
    numbers !== null && numbers.length > 0
      ? numbers.reduce((sum, value) => sum + value ** 2, 0) / numbers.length
      : found !== null && found.nonFinite === 0
        ? found.meanSquare
        : NaN;
  return Number.isFinite(meanSquare) ? Math.sqrt(meanSquare) : null;
}

/** What the numbers themselves take out of the theory. */
function* limitsOfValues(
  nonFinite: number,
  sigmaW: number | null,
  meanSquare: number,
  sigmaB: number | null,
): Iterable<TheoryLimit> {
  if (nonFinite > 0)
    yield { kind: "non-finite", words: `${nonFinite} of its weights are NaN or infinite: mend the model first.` };
  else if (meanSquare === 0) yield { kind: "zero-variance", words: "All its weights are 0: nothing goes through it." };
  if (sigmaB === null) yield { kind: "computed-bias", words: "σ_b of its bias is not known, or not finite." };
  if ((sigmaW ?? 0) > largest.sigmaW || (sigmaB ?? 0) > largest.sigmaB)
    yield {
      kind: "out-of-range",
      words: `Its σ_w or σ_b is far from any initialisation: the theory is computed up to ${largest.sigmaW} and ${largest.sigmaB}.`,
    };
}

/** The range that the maps are computed for, and the least σ_b that is not taken for 0. */
const largest = { sigmaW: 1000, sigmaB: 100 } as const;
const leastSigmaB = 1e-6;

function phaseView(activation: Activation, sigmaW: number, sigmaB: number): PhaseView {
  const scale = { sigmaW, sigmaB: sigmaB < leastSigmaB ? 0 : sigmaB };
  const { phase, q, chi, vPrime, gradientDepth, explanation } = phaseOf(activation, scale);
  return { phase, q, chi, vPrime, gradientDepth, explanation };
}

type EdgePlace = EdgeView["parts"][number]["points"][number];

/** Most points of one part of a curve. */
const mostPoints = 100;

function edgeView(activation: Activation, known: { readonly curve: EdgeCurve; readonly edge: EdgeOfChaos }): EdgeView {
  const { origin, parts } = known.curve;
  const place = ({ sigmaB, sigmaW, q }: EdgePoint): EdgePlace => ({ sigmaB, sigmaW, q });
  return {
    activation: activation.name,
    parts: [
      ...(origin === null ? [] : [{ kind: origin.status, points: [place(origin)] }]),
      ...parts.map(({ kind, points }) => {
        const step = Math.max(1, Math.ceil(points.length / mostPoints));
        return { kind, points: points.filter((_, i) => i % step === 0 || i === points.length - 1).map(place) };
      }),
    ],
    status: known.edge.status,
    explanation: known.edge.explanation,
  };
}

function adviceFor(verdict: TheoryReport["origin"]["verdict"], layers: readonly LayerTheory[]): string {
  if (layers.length === 0) return "The model has no weighted layers, so that there is nothing to draw.";
  if (layers.every(({ suggestion }) => suggestion === null))
    return "There is no layer whose scale the theory advises on: measured values are what counts.";
  if (verdict === "fresh") return "The model looks freshly initialised: the suggestions are for it.";
  return verdict === "trained"
    ? "The suggestions are for training this architecture from scratch; they would undo what this model has learnt."
    : "Whether the model was trained cannot be told: the suggestions are for training this architecture from scratch.";
}

function notesOf(sites: readonly LayerSite[], layers: readonly LayerTheory[], main: Activation | null): string[] {
  const notes: string[] = [];
  const covered = sites.filter(isCovered);
  if (main !== null && covered.length > 0 && covered.every(({ activation }) => activation!.homogeneous)) {
    const biased = covered.some(({ weight }) => (layers.find(({ id }) => id === weight.id)?.sigmaB ?? 0) > 0);
    notes.push(
      biased
        ? "Activations are positively homogeneous: apart from the biases, Σ w·∂L/∂w is the same in every layer, and σ_w makes hardly a trend over depth."
        : "Activations are positively homogeneous and there are no biases: Σ w·∂L/∂w is the same in every layer, so that σ_w alone does not make layers collapse.",
    );
  }
  const skewed = layers.filter(({ meanShare }) => (meanShare ?? 0) > 0.05);
  if (skewed.length > 0)
    notes.push(
      `The theory takes weights as centred; ${skewed.length === 1 ? "one layer has" : `${skewed.length} layers have`} a mean that is more than 5 % of the mean square: ${skewed
        .slice(0, 3)
        .map(({ id }) => `"${id}"`)
        .join(", ")}${skewed.length > 3 ? ", …" : ""}.`,
    );
  return notes;
}

function distinct(activations: readonly Activation[]): Activation[] {
  return [...new Map(activations.map((one) => [one.name, one])).values()];
}

/** The activation that most layers have which are not normalised; of all layers where there are none. */
function mostCommon(sites: readonly LayerSite[]): Activation | null {
  const covered = sites.filter(isCovered);
  const counts = new Map<string, { readonly activation: Activation; count: number }>();
  for (const { activation } of covered.length > 0 ? covered : sites) {
    if (activation === null) continue;
    const known = counts.get(activation.name);
    if (known === undefined) counts.set(activation.name, { activation, count: 1 });
    else known.count++;
  }
  const best = [...counts.values()].reduce<{ activation: Activation; count: number } | null>(
    (most, one) => (most === null || one.count > most.count ? one : most),
    null,
  );
  return best?.activation ?? null;
}
