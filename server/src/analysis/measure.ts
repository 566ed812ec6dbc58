/**
 * Job `measure`: conditioning and propagation, measured on data, with the theory's prediction on the same axes, and on
 * request how far masks of several seeds or batches agree.
 */
import { toErrorData } from "../../protocol/errors.js";
import type { Conditioning, MeasureReport, Propagation, PropagationLayer, Stability } from "../../protocol/insights.js";
import type { ErrorData } from "../../protocol/errors.js";
import { oneShot, type Recipe } from "../../protocol/recipe.js";
import type { MeasureParams } from "../../protocol/requests.js";
import { type MeasuredPropagation, measurePropagation } from "../autodiff/propagation.js";
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
    const { model, search } = open;
    const sites = await layerSites(model, search.weights, context.settings.threads);
    const homogeneous = isHomogeneous(sites);
    const conditioning = await known(() => conditioned(open, recipe, homogeneous, context));
    const measured = await known(async () => measurePropagation(await sensitivityInput(open, recipe, true, context)));
    const stability = stabilityRuns < 2 ? null : await known(() => stabilityOf(open, recipe, stabilityRuns, context));
    const numbers = "code" in measured ? null : measured;
    return {
      loss: numbers !== null && Number.isFinite(numbers.loss) ? numbers.loss : null,
      batchNorm: numbers?.batchNorm ?? null,
      conditioning,
      propagation: "code" in measured ? measured : propagationOf(open, sites, measured),
      stability,
      notes: numbers?.notes ?? [],
    } satisfies MeasureReport & { conditioning: Conditioning | ErrorData; stability: Stability | ErrorData | null };
  });
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

/** Every layer's activation is homogeneous, and none has a bias: those behind which none follows change nothing. */
const isHomogeneous = (sites: readonly LayerSite[]): boolean =>
  sites.length > 0 &&
  sites.every(
    ({ activation, limits, sum }) =>
      (activation === null ? limits.some(({ kind }) => kind === "last") : activation.homogeneous) && sum?.bias == null,
  );

/** From the scores of SNIP, which are |w·∂L/∂w|: those of an analysis that was made already are not made again. */
async function conditioned(
  open: OpenModel,
  recipe: Recipe,
  homogeneous: boolean,
  context: JobContext,
): Promise<Conditioning> {
  const plain = { ...oneShot(recipe), criterion: "snip", exclude: [], floors: {} };
  const ranked = await rankScores(open, plain, context);
  const layers = open.search.weights.flatMap(({ id, size }, l) => {
    const { sumOfSquares, nonFinite } = ranked.surveys[l]!;
    if (ranked.unscored[l] !== null || nonFinite > 0) return [];
    return [{ id, weights: size, m: sumOfSquares / size, total: sumOfSquares }];
  });
  return conditioningOf(layers, homogeneous);
}

function propagationOf(open: OpenModel, sites: readonly LayerSite[], measured: MeasuredPropagation): Propagation {
  const scales = sites.map((site) => scaleOf(open, site));
  const layers = sites.flatMap((site, l): PropagationLayer[] => {
    const layer = measured.layers[l] ?? null;
    if (layer === null) return [];
    const before = layer.previous === null ? null : measured.layers[layer.previous]!;
    const scale = scales[l] ?? null;
    const source = layer.previous === null ? null : sites[layer.previous]!;
    const covered = source !== null && layer.direct && isCovered(source) && scale !== null && (before?.q ?? 0) > 0;
    return [
      {
        id: site.weight.id,
        input: layer.input,
        q: layer.q,
        c: layer.c,
        forwardGain: ratio(layer.q, before?.q ?? null),
        gradient: layer.gradient,
        backwardGain: ratio(before?.gradient ?? null, layer.gradient),
        predicted: covered ? predictedOf(source, scale, before!.q!, before!.c) : null,
      },
    ];
  });
  const absent = sites.length - layers.length;
  return {
    layers,
    notes: [
      ...(absent > 0
        ? [
            `${absent} of ${sites.length} layers are not measured: recurrent, in branches, or not on the path that the inputs take.`,
          ]
        : []),
      ...(layers.some(({ predicted }) => predicted !== null)
        ? ["Predictions are for wide layers away from the borders of images, from what was measured one layer before."]
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

/** The maps over one layer. */
function predictedOf(
  { activation }: LayerSite,
  scale: Scale,
  q: number,
  c: number | null,
): PropagationLayer["predicted"] {
  const next = nextVariance(activation!, scale, q);
  const growth = chi(activation!, scale, q);
  if (!Number.isFinite(next) || !Number.isFinite(growth)) return null;
  return { q: next, c: c === null ? null : nextCorrelation(activation!, scale, q, c), chi: growth };
}
