/**
 * `--rescale`: what pruning leaves of each layer, multiplied by one number ρ so that the network is back on the edge of
 * chaos (Hayou et al. 2021, section 4, the rescaling trick). `paper`: ρ = σ_w/√(fan_in·mean((W·δ)²)), right for masks that do not
 * depend on the activations. `measured`: ρ such that the measured mean square of (ρWδ)h before the bias is q* − σ_b².
 * Biases are left as they are.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { EditReport } from "../../../protocol/insights.js";
import type { Recipe, Rescaling } from "../../../protocol/recipe.js";
import { type MeasuredPropagation, measurePropagation } from "../../autodiff/propagation.js";
import { rescaleFactors, type RescaleTarget } from "../../autodiff/rescale-factors.js";
import type { PerWeight } from "../../autodiff/sensitivity.js";
import { blockElements, storedConstant } from "../../formats/stored-elements.js";
import { findResiduals } from "../../graph/residual/index.js";
import { chi } from "../../meanfield/chi.js";
import { weightStatistics } from "../../meanfield/origin/weight-statistics.js";
import { phaseOf } from "../../meanfield/phase.js";
import { type LayerSite, layerSites } from "../../meanfield/sites/index.js";
import { fillKeep, type Mask } from "../../pruning/mask.js";
import { outputLayout } from "../../pruning/survey.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";
import type { RankedScores } from "../scoring.js";
import { sensitivityInput } from "../scores.js";

/** Farthest that `paper` may take a variance from the dense network's. */
const farthest = 10;

export interface Rescaled {
  /** One for each weight; 1 where it is left alone. */
  readonly factors: readonly number[];
  readonly report: EditReport;
}

/** What is known of one layer before it is rescaled. */
interface Layer {
  readonly site: LayerSite;
  readonly dense: Float32Array;
  readonly masked: Float32Array;
  readonly meanSquare: number;
  readonly maskedMeanSquare: number;
  readonly sigmaB: number;
  /** Share of the outputs that have weights left. */
  readonly living: number;
  /** Why it is left alone; null where it is rescaled. */
  readonly skipped: string | null;
}

/**
 * The factors for a mask.
 * @throws PruneScopeError `bad-request` when `paper` would take a variance out of [q/10, 10q], which it does on masks that
 * were made from the activations.
 */
export async function rescaling(
  open: OpenModel,
  ranked: RankedScores,
  mask: Mask,
  recipe: Recipe,
  how: Rescaling,
  context: JobContext,
): Promise<Rescaled> {
  const layers = await layersOf(open, ranked, mask, context);
  const input = await sensitivityInput(open, recipe, true, context);
  const masked: PerWeight = layers.map((layer) => layer.masked);
  const dense = await measurePropagation(input);
  const before = await measurePropagation(input, masked);
  const factors =
    how === "paper"
      ? layers.map((layer) => (layer.skipped === null ? Math.sqrt(layer.meanSquare / layer.maskedMeanSquare) : null))
      : await rescaleFactors(input, masked, targetsOf(layers, dense));
  const applied = factors.map((factor) => factor ?? 1);
  const after = await measurePropagation(
    input,
    layers.map((layer, l) => (applied[l] === 1 ? layer.masked : layer.masked.map((w) => w * applied[l]!))),
  );
  if (how === "paper") refuseRunaway(open, layers, dense, after);
  return { factors: applied, report: reportOf(how, layers, factors, { dense, before, after }) };
}

/** Reads every weight once, with its mask. */
async function layersOf(open: OpenModel, ranked: RankedScores, mask: Mask, context: JobContext): Promise<Layer[]> {
  const { model, search, source } = open;
  const sites = await layerSites(model, search.weights, context.settings.threads);
  const branches = new Map(
    findResiduals(model, search.weights).blocks.flatMap(({ branch, shortcut, add }) =>
      [...branch, ...shortcut].map((id) => [id, add.outputs[0]!] as const),
    ),
  );
  const layers: Layer[] = [];
  for (const [l, site] of sites.entries()) {
    await context.checkpoint();
    const { weight, bias } = site;
    const { dense, masked } = elementsOf(ranked, mask, l);
    const meanSquare = mean(dense);
    const maskedMeanSquare = mean(masked);
    const stored = bias === null ? null : storedConstant(source, bias);
    layers.push({
      site,
      dense,
      masked,
      meanSquare,
      maskedMeanSquare,
      sigmaB: stored === null ? 0 : Math.sqrt(weightStatistics(stored).meanSquare),
      living: livingShare(site, masked),
      skipped: whyNot(site, maskedMeanSquare, branches.get(weight.id)),
    });
  }
  return layers;
}

function elementsOf({ scores }: RankedScores, mask: Mask, l: number): { dense: Float32Array; masked: Float32Array } {
  const { size, elements } = scores.layers[l]!;
  const { cut } = mask.layers[l]!;
  const dense = new Float32Array(size);
  const keep = new Uint8Array(blockElements);
  for (let start = 0; start < size; start += blockElements) {
    const count = Math.min(blockElements, size - start);
    elements.read(start, count, dense.subarray(start, start + count));
  }
  if (cut === null) return { dense, masked: dense };
  const masked = Float32Array.from(dense);
  scores.blocks(l, (keys, start, count) => {
    fillKeep(scores, l, cut, keys, start, count, keep);
    for (let i = 0; i < count; i++) if (keep[i] === 0) masked[start + i] = 0;
  });
  return { dense, masked };
}

const mean = (values: Float32Array): number => values.reduce((sum, w) => sum + w * w, 0) / Math.max(1, values.length);

/** Share of a layer's outputs that have a weight left; 1 where outputs cannot be told apart. */
function livingShare({ weight }: LayerSite, masked: Float32Array): number {
  const layout = outputLayout(weight.shape, weight.roles, weight.sparse);
  if (layout === null) return 1;
  const alive = new Uint8Array(layout.total);
  masked.forEach((w, i) => {
    if (w !== 0)
      alive[(Math.floor(i / layout.inner) % layout.outputs) + layout.outputs * Math.floor(i / layout.stride)] = 1;
  });
  return alive.reduce((sum, one) => sum + one, 0) / layout.total;
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

function whyNot({ limits }: LayerSite, left: number, block: string | undefined): string | null {
  if (left === 0) return "nothing of it is left";
  if (block !== undefined) return `it is in the residual block of "${block}": residual branches are not rescaled`;
  for (const { kind } of limits) {
    const why = obstacles[kind];
    if (why !== undefined) return why;
  }
  return null;
}

/** Mean squares before the bias that `measured` aims at. */
function targetsOf(layers: readonly Layer[], dense: MeasuredPropagation): (RescaleTarget | null)[] {
  return layers.map(({ site, skipped, meanSquare, sigmaB, living }, l) => {
    const measured = dense.layers[l]?.q ?? null;
    if (skipped !== null || measured === null || living === 0) return null;
    const q = fixedVariance(site, meanSquare, sigmaB) ?? measured;
    const target = q - sigmaB ** 2;
    return target > 0 ? { meanSquare: target, living } : null;
  });
}

/** q* of a layer as the dense network has it; null where every variance is kept, or none. */
function fixedVariance({ activation, fanIn }: LayerSite, meanSquare: number, sigmaB: number): number | null {
  if (activation === null || activation.homogeneous || fanIn === null) return null;
  const { q } = phaseOf(activation, { sigmaW: Math.sqrt(fanIn * meanSquare), sigmaB });
  return q === null || q === 0 ? null : q;
}

function refuseRunaway(
  open: OpenModel,
  layers: readonly Layer[],
  dense: MeasuredPropagation,
  after: MeasuredPropagation,
): void {
  for (const [l, { site }] of layers.entries()) {
    const was = dense.layers[l]?.q ?? null;
    const is = after.layers[l];
    if (was === null || is == null) continue;
    const ratio = is.q === null ? Infinity : is.q / was;
    if (ratio >= 1 / farthest && ratio <= farthest) continue;
    throw new PruneScopeError(
      "bad-request",
      `Rescaling by the paper's formula would take the variance of layer "${site.weight.id}" from ${short(was)} to ${is.q === null ? "beyond float32" : short(is.q)}: ` +
        "the formula holds for masks that do not depend on the activations, and this one does. Rescale by what is measured instead (--rescale measured).",
      { file: open.path, value: site.weight.id },
    );
  }
}

interface Measured {
  readonly dense: MeasuredPropagation;
  readonly before: MeasuredPropagation;
  readonly after: MeasuredPropagation;
}

function reportOf(
  how: Rescaling,
  layers: readonly Layer[],
  factors: readonly (number | null)[],
  measured: Measured,
): EditReport {
  const done = factors.filter((factor) => factor !== null).length;
  const formula =
    how === "paper"
      ? "ρ = σ_w/√(fan_in·mean((W·δ)²))"
      : "the measured mean square of each layer before its bias set back";
  return {
    edit: "rescale",
    words: `${done} of ${layers.length} layers rescaled after pruning: ${formula}.`,
    changes: layers.map(({ site: { weight }, skipped }, l) => ({
      name: weight.id,
      words:
        factors[l] !== null && factors[l] !== undefined
          ? `multiplied by ${short(factors[l])}`
          : `left as it is: ${skipped ?? "no signal comes to it, or its operator cannot be rescaled"}`,
    })),
    measured: [
      ...nominal(layers, measured.dense),
      `Variance of pre-activations over the dense network's: ${range(measured.before, measured.dense)} before, ${range(measured.after, measured.dense)} after rescaling.`,
      `Backward gain, geometric mean over the layers: ${gain(measured.before)} before, ${gain(measured.after)} after, ${gain(measured.dense)} in the dense network.`,
    ],
  };
}

/** χ of the dense network by the theory, where it covers layers. */
function nominal(layers: readonly Layer[], dense: MeasuredPropagation): string[] {
  const values = layers.flatMap(({ site: { activation, limits, fanIn }, meanSquare }, l) => {
    const q = dense.layers[l]?.q ?? null;
    if (activation === null || limits.length > 0 || fanIn === null || q === null || q === 0) return [];
    const value = chi(activation, { sigmaW: Math.sqrt(fanIn * meanSquare), sigmaB: 0 }, q);
    return value > 0 && Number.isFinite(value) ? [Math.log(value)] : [];
  });
  if (values.length === 0) return [];
  return [`Nominal χ of the dense layers: ${short(Math.exp(average(values)))}.`];
}

/** Geometric mean of what the squared gradient is multiplied by on its way from each layer to the one before. */
export function meanBackwardGain({ layers }: MeasuredPropagation): number | null {
  const gains = layers.flatMap((layer) => {
    const before = layer?.previous == null ? null : (layers[layer.previous]?.gradient ?? null);
    const own = layer?.gradient ?? null;
    return before === null || own === null || before === 0 || own === 0 ? [] : [Math.log(before / own)];
  });
  return gains.length === 0 ? null : Math.exp(average(gains));
}

const gain = (measured: MeasuredPropagation): string => {
  const value = meanBackwardGain(measured);
  return value === null ? "not known" : short(value);
};

/** Least and largest ratio of variances. */
function range(measured: MeasuredPropagation, dense: MeasuredPropagation): string {
  const ratios = measured.layers.flatMap((layer, l) => {
    const [a, b] = [layer?.q ?? null, dense.layers[l]?.q ?? null];
    return a === null || b === null || b === 0 ? [] : [a / b];
  });
  return ratios.length === 0 ? "not known" : `${short(Math.min(...ratios))} to ${short(Math.max(...ratios))}`;
}

const average = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
const short = (value: number): string => String(Number(value.toPrecision(4)));
