/**
 * `--rescale`: what pruning leaves of each layer, multiplied by one number ρ so that the network is back on the edge of
 * chaos (Hayou et al. 2021, section 4, the rescaling trick). `paper`: ρ = σ_w/√(fan_in·mean((W·δ)²)), right for masks that
 * do not depend on the activations. `measured`: ρ such that the measured mean square of (ρWδ)h before the bias is
 * q* − σ_b², over the outputs that have weights left. Biases are left as they are.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { EditReport } from "../../../protocol/insights.js";
import type { Recipe, Rescaling } from "../../../protocol/recipe.js";
import { type MeasuredPropagation, measurePropagation } from "../../autodiff/propagation.js";
import type { SensitivityInput } from "../../autodiff/plan.js";
import { measureSums, rescaleFactors, type RescaleTarget } from "../../autodiff/rescale-factors.js";
import { blockLabel, findResiduals } from "../../graph/residual/index.js";
import { phaseOf } from "../../meanfield/phase.js";
import { type LayerSite, layerSites } from "../../meanfield/sites/index.js";
import type { Mask } from "../../pruning/mask.js";
import type { OrderedScores } from "../../pruning/order.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";
import { sensitivityInput } from "../scores.js";
import { type PrunedLayer, prunedLayer } from "./pruned-layer.js";
import { livingVariance, rescaleReport } from "./rescale-report.js";

/** Farthest that `paper` may take a variance from the dense network's. */
const farthest = 10;

export interface Rescaled {
  /** One for each weight; 1 where it is left alone. */
  readonly factors: readonly number[];
  readonly report: EditReport;
}

/** One layer before it is rescaled. */
export interface RescaledLayer extends PrunedLayer {
  readonly site: LayerSite;
  /** Why it is left alone; null where it is rescaled. */
  readonly skipped: string | null;
}

/**
 * The factors for a mask.
 * @throws PruneScopeError `bad-request` when `paper` would take a variance out of [q/10, 10q], which it does on masks that
 * were made from the activations; what data and ONNX Runtime throw.
 */
export async function rescaling(
  open: OpenModel,
  scores: OrderedScores,
  mask: Mask,
  recipe: Recipe,
  how: Rescaling,
  context: JobContext,
): Promise<Rescaled> {
  const layers = await layersOf(open, scores, mask, context);
  const input = await sensitivityInput(open, recipe, true, context);
  const masked = layers.map((layer) => layer.masked);
  const dense = await measurePropagation(input);
  const before = await measurePropagation(input, masked);
  const factors =
    how === "paper"
      ? layers.map((layer) => (layer.skipped === null ? Math.sqrt(layer.meanSquare / layer.maskedMeanSquare) : null))
      : await rescaleFactors(input, masked, await targetsOf(layers, dense, input));
  // From here on the masked elements are the rescaled ones: a model may be large, and is not copied again.
  const after = await measurePropagation(
    input,
    layers.map((layer, l) => scaled(layer.elements, factors[l] ?? 1)),
  );
  if (how === "paper" && factors.some((factor) => factor !== null)) refuseRunaway(open, layers, dense, after);
  return {
    factors: factors.map((factor) => factor ?? 1),
    report: rescaleReport(how, layers, factors, { dense, before, after }),
  };
}

/** Reads every weight once, with its mask. */
async function layersOf(
  open: OpenModel,
  scores: OrderedScores,
  mask: Mask,
  context: JobContext,
): Promise<RescaledLayer[]> {
  const { model, search } = open;
  const sites = await layerSites(model, search.weights, context.settings.threads);
  const blocks = new Map(
    findResiduals(model, search.weights).blocks.flatMap((block) =>
      [...block.branch, ...block.shortcut].map((id) => [id, blockLabel(block)] as const),
    ),
  );
  const layers: RescaledLayer[] = [];
  for (const [l, site] of sites.entries()) {
    context.progress({ stage: "Reading what is left", done: l, total: sites.length });
    await context.checkpoint();
    const layer = prunedLayer(open, site, scores, mask, l);
    layers.push({ ...layer, site, skipped: whyNot(site, layer, blocks.get(site.weight.id)) });
  }
  return layers;
}

/** Multiplies elements in place. */
function scaled(elements: Float32Array, factor: number): Float32Array {
  if (factor !== 1) for (let i = 0; i < elements.length; i++) elements[i]! *= factor;
  return elements;
}

/** What stands against rescaling a layer. */
const obstacles: Readonly<Partial<Record<LayerSite["limits"][number]["kind"], string>>> = {
  normalised: "a norm behind it takes the scale out again",
  residual: "it is added to another path: residual networks stay on the edge of chaos",
  attention: "it feeds attention, which the theory does not cover",
  gated: "it is multiplied by another path, which the theory does not cover",
  tied: "it is used several times",
  recurrent: "it is recurrent",
  quantised: "its elements are codes of a quantisation",
  "unknown-axes": "its fan-in is not known",
  "unknown-activation": "its activation is not known",
};

function whyNot({ limits, weight }: LayerSite, layer: PrunedLayer, block: string | undefined): string | null {
  if (layer.maskedMeanSquare === 0) return "nothing of it is left";
  if (!Number.isFinite(layer.meanSquare)) return "some of its weights are NaN or infinite";
  if (weight.sparse) return "it is stored as a sparse tensor";
  if (weight.tensor.encoding === "varint") return "its elements are stored as varints, whose length would change";
  if (block !== undefined) return `it is in the residual block of "${block}": residual branches are not rescaled`;
  for (const { kind } of limits) {
    const why = obstacles[kind];
    if (why !== undefined) return why;
  }
  return null;
}

/**
 * Mean squares before the bias that `measured` aims at: q* − σ_b², and where every variance is kept, or none, what the
 * dense network has there.
 */
async function targetsOf(
  layers: readonly RescaledLayer[],
  dense: MeasuredPropagation,
  input: SensitivityInput,
): Promise<(RescaleTarget | null)[]> {
  const fixed = layers.map((layer, l) => fixedMeanSquare(layer, dense.layers[l]?.q ?? null));
  const sums = fixed.every((target) => target !== null)
    ? []
    : await measureSums(
        input,
        layers.map(() => null),
      );
  return layers.map(({ skipped, living }, l) => {
    const meanSquare = fixed[l] ?? sums[l] ?? 0;
    return skipped === null && living > 0 && meanSquare > 0 ? { meanSquare, living } : null;
  });
}

/** Up to here σ are those of an initialisation. */
const largestSigmaW = 100;
const largestSigmaB = 10;

/** q* − σ_b² of a layer as the dense network has it; null where no variance above σ_b² is settled at. */
function fixedMeanSquare({ site, meanSquare, sigmaB }: RescaledLayer, start: number | null): number | null {
  const { activation, fanIn } = site;
  if (activation === null || activation.homogeneous || fanIn === null || sigmaB === null) return null;
  const sigmaW = Math.sqrt(fanIn * meanSquare);
  if (start === null || !(start > 0) || !(sigmaW <= largestSigmaW) || sigmaB > largestSigmaB) return null;
  const { q } = phaseOf(activation, { sigmaW, sigmaB }, start);
  const target = (q ?? 0) - sigmaB ** 2;
  return target > 0 ? target : null;
}

/** Simulated before anything is written: a formula that does not hold for a mask is refused, not applied. */
function refuseRunaway(
  open: OpenModel,
  layers: readonly RescaledLayer[],
  dense: MeasuredPropagation,
  after: MeasuredPropagation,
): void {
  for (const [l, layer] of layers.entries()) {
    const was = dense.layers[l]?.q ?? null;
    const found = after.layers[l] ?? null;
    if (was === null || was === 0 || found === null || layer.living === 0) continue;
    const is = livingVariance(layer, found.q);
    const ratio = is === null ? Infinity : is / was;
    if (ratio >= 1 / farthest && ratio <= farthest) continue;
    const { id } = layer.site.weight;
    const words =
      ratio === 0
        ? `No signal reaches layer "${id}" through this mask, so that its variance cannot be set back: prune less, or by another criterion.`
        : `Rescaling by the paper's formula would take the variance of layer "${id}" from ${short(was)} to ${is === null ? "beyond float32" : short(is)}: ` +
          "the formula holds for masks that do not depend on the activations, and this one does. Rescale by what is measured instead (--rescale measured).";
    throw new PruneScopeError("bad-request", words, { file: open.path, value: id });
  }
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
