/**
 * Job `measure`: conditioning and propagation, measured on data, with the theory's prediction on the same axes, and on
 * request how far masks of several seeds or batches agree.
 */
import { type ErrorData, toErrorData } from "../../protocol/errors.js";
import type {
  Conditioning,
  MeasureReport,
  Propagation,
  PropagationLayer,
  TheoryLimit,
} from "../../protocol/insights.js";
import { oneShot, type Recipe } from "../../protocol/recipe.js";
import type { MeasureParams } from "../../protocol/requests.js";
import { type MeasuredLayer, type MeasuredPropagation, measurePropagation } from "../autodiff/propagation.js";
import type { Circumstance } from "../autodiff/sensitivity.js";
import { snip } from "../criteria/snip.js";
import { storedConstant, storedElements } from "../formats/stored-elements.js";
import { chi } from "../meanfield/chi.js";
import { nextCorrelation } from "../meanfield/correlation-map.js";
import { weightStatistics } from "../meanfield/origin/weight-statistics.js";
import { isCovered, type LayerSite, layerSites } from "../meanfield/sites/index.js";
import { nextVariance, type Scale } from "../meanfield/variance-map.js";
import { conditioningOf } from "../pruning/conditioning.js";
import type { JobContext } from "./jobs.js";
import { stabilityOf } from "./mask-stability.js";
import type { OpenModel } from "./open-model.js";
import { withPrepared } from "./prepared-model.js";
import { sensitivityInput } from "./scores.js";
import { rankScores } from "./scoring.js";

export async function measure(
  { path, recipe, stabilityRuns }: MeasureParams,
  context: JobContext,
): Promise<MeasureReport> {
  return withPrepared(path, recipe, context, async (open) => {
    const found = await layerSites(open.model, open.search.weights, context.settings.threads);
    const layers = found.map((site): Layer => ({ site, scale: scaleOf(open, site) }));
    const scored = await known(() => conditioned(open, recipe, isHomogeneous(layers), context));
    const measured = await known(async () => measurePropagation(await sensitivityInput(open, recipe, true, context)));
    const stability = stabilityRuns < 2 ? null : await known(() => stabilityOf(open, recipe, stabilityRuns, context));
    const circumstances = [
      ...("code" in scored ? [] : [scored.circumstance]),
      ...("code" in measured ? [] : [measured]),
    ];
    const loss = circumstances.find((one) => one.loss !== null && Number.isFinite(one.loss))?.loss ?? null;
    return {
      loss,
      batchNorm: circumstances[0]?.batchNorm ?? null,
      conditioning: "code" in scored ? scored : scored.conditioning,
      propagation: "code" in measured ? measured : propagationOf(layers, measured),
      stability,
      notes: [...new Set(circumstances.flatMap(({ notes }) => notes))],
    };
  });
}

/** A layer as the theory sees it. */
interface Layer {
  readonly site: LayerSite;
  /** Of its weights and biases; null where they are not known. */
  readonly scale: Scale | null;
}

/** What `work` finds, or why it cannot; a cancellation goes on. */
async function known<T>(work: () => Promise<T>): Promise<T | ErrorData> {
  try {
    return await work();
  } catch (error) {
    const data = toErrorData(error);
    if (data.code === "cancelled") throw error;
    return data;
  }
}

/** Limits of the theory that leave the network as homogeneous as it is without them. */
const harmless: ReadonlySet<TheoryLimit["kind"]> = new Set(["last", "no-activation", "quantised"]);

/** Every layer's activation is positively homogeneous, no bias is other than 0, and signals take one path. */
const isHomogeneous = (layers: readonly Layer[]): boolean =>
  layers.length > 0 &&
  layers.every(
    ({ site: { activation, limits }, scale }) =>
      scale?.sigmaB === 0 &&
      (activation === null || activation.homogeneous) &&
      limits.every(({ kind }) => harmless.has(kind)),
  );

interface Scored {
  readonly conditioning: Conditioning;
  readonly circumstance: Pick<Circumstance, "loss" | "batchNorm" | "notes">;
}

/** From the scores of SNIP, which are |w·∂L/∂w|: those of an analysis that was made already are not made again. */
async function conditioned(
  open: OpenModel,
  recipe: Recipe,
  homogeneous: boolean,
  context: JobContext,
): Promise<Scored> {
  const ranked = await rankScores(open, { ...oneShot(recipe), criterion: snip.id, exclude: [], floors: {} }, context);
  const broken: string[] = [];
  const layers = open.search.weights.flatMap(({ id, size }, l) => {
    const { sumOfSquares, nonFinite } = ranked.surveys[l]!;
    if (ranked.unscored[l] !== null) return [];
    if (nonFinite === 0) return [{ id, weights: size, m: sumOfSquares / size, total: sumOfSquares }];
    broken.push(id);
    return [];
  });
  const { loss = null, batchNorm = null, notes = [] } = ranked.circumstance ?? {};
  const overflow = `w·∂L/∂w overflows float32 in ${broken.length} layers, which are left out: ${listed(broken)}.`;
  return {
    conditioning: conditioningOf(layers, homogeneous),
    circumstance: { loss, batchNorm, notes: broken.length === 0 ? notes : [...notes, overflow] },
  };
}

/** The first few names. */
const listed = (ids: readonly string[]): string =>
  `${ids
    .slice(0, 3)
    .map((id) => `"${id}"`)
    .join(", ")}${ids.length > 3 ? ", …" : ""}`;

function propagationOf(all: readonly Layer[], measured: MeasuredPropagation): Propagation {
  const layers = all.flatMap(({ site, scale }, l): PropagationLayer[] => {
    const layer = measured.layers[l] ?? null;
    if (layer === null) return [];
    const before = layer.previous === null ? null : measured.layers[layer.previous]!;
    const source = layer.previous === null || !layer.direct ? null : all[layer.previous]!.site;
    return [
      {
        id: site.weight.id,
        input: layer.input,
        q: layer.q,
        c: layer.c,
        forwardGain: ratio(layer.q, before?.q ?? null),
        gradient: layer.gradient,
        backwardGain: ratio(before?.gradient ?? null, layer.gradient),
        predicted: source === null || !isCovered(source) ? null : predictedOf(source, scale, before),
      },
    ];
  });
  const absent = all.length - layers.length;
  return {
    layers,
    notes: [
      ...(absent > 0
        ? [
            `${absent} of ${all.length} layers are not measured: they are no plain sum (recurrent, for example), compute in another type than float32, or are not on the path that the inputs take.`,
          ]
        : []),
      ...(layers.some(({ predicted }) => predicted !== null)
        ? [
            "Predictions are the maps of theory applied to what was measured one layer before: for wide layers with independent weights, away from the borders of images. Trained weights are not independent.",
          ]
        : []),
    ],
  };
}

const ratio = (a: number | null, b: number | null): number | null =>
  a === null || b === null || b === 0 || !Number.isFinite(a / b) ? null : a / b;

/** Standard deviations of a layer's weights and biases as the theory counts them; null where they are not known. */
function scaleOf({ source }: OpenModel, { weight, fanIn, bias, computedBias }: LayerSite): Scale | null {
  if (fanIn === null || computedBias) return null;
  const { meanSquare, nonFinite } = weightStatistics(storedElements(source, weight));
  const stored = bias === null ? null : storedConstant(source, bias);
  if (nonFinite > 0 || (bias !== null && stored === null)) return null;
  return {
    sigmaW: Math.sqrt(fanIn * meanSquare),
    sigmaB: stored === null ? 0 : Math.sqrt(weightStatistics(stored).meanSquare),
  };
}

/** The maps over one layer, from what was measured of the layer before. */
function predictedOf(
  { activation }: LayerSite,
  scale: Scale | null,
  before: MeasuredLayer | null,
): PropagationLayer["predicted"] {
  const { q = null, c = null } = before ?? {};
  if (activation === null || scale === null || q === null || q === 0) return null;
  const next = nextVariance(activation, scale, q);
  const growth = chi(activation, scale, q);
  if (!Number.isFinite(next) || !Number.isFinite(growth)) return null;
  // Without any variance left there are no correlations.
  const correlation = c === null || next === 0 ? null : nextCorrelation(activation, scale, q, c);
  return { q: next, c: correlation !== null && Number.isFinite(correlation) ? correlation : null, chi: growth };
}
