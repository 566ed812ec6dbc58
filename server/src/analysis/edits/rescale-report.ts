/** What rescaling did, in words and figures: nominal χ, variances and gains before and after, beside the dense network's. */
import type { EditReport } from "../../../protocol/insights.js";
import type { Rescaling } from "../../../protocol/recipe.js";
import type { MeasuredLayer, MeasuredPropagation } from "../../autodiff/propagation.js";
import { chi } from "../../meanfield/chi.js";
import type { RescaledLayer } from "./rescale.js";

/** The network before pruning, after it, and after rescaling. */
export interface Stages {
  readonly dense: MeasuredPropagation;
  readonly before: MeasuredPropagation;
  readonly after: MeasuredPropagation;
}

/** @param factors null for layers that were left alone. */
export function rescaleReport(
  how: Rescaling,
  layers: readonly RescaledLayer[],
  factors: readonly (number | null)[],
  { dense, before, after }: Stages,
): EditReport {
  const done = factors.filter((factor) => factor !== null).length;
  const formula =
    how === "paper"
      ? "ρ = σ_w/√(fan_in·mean((W·δ)²))"
      : "the measured mean square of every sum before its bias, over outputs that have weights left, set back to q* − σ_b², or to the dense network's where no variance is settled at";
  const staged = (figure: (stage: MeasuredPropagation, factors: readonly (number | null)[] | null) => string): string =>
    `${figure(dense, null)} in the dense network, ${figure(
      before,
      layers.map(() => 1),
    )} after pruning, ${figure(after, factors)} after rescaling`;
  return {
    edit: "rescale",
    words:
      done === 0
        ? "No layer was rescaled after pruning."
        : `${done} of ${layers.length} layers rescaled after pruning: ${formula}. Biases are as they were.`,
    changes: layers.map(({ site: { weight }, skipped }, l) => {
      const factor = factors[l] ?? null;
      return {
        name: weight.id,
        words:
          factor !== null
            ? `multiplied by ${short(factor)}`
            : `left as it is: ${skipped ?? "no signal comes to it, or its operator cannot be rescaled"}`,
      };
    }),
    measured: [
      ...(nominalChi(layers, dense, null) === null
        ? []
        : [
            `Nominal χ, geometric mean over layers that the theory covers: ${staged((stage, by) => shown(nominalChi(layers, stage, by)))}.`,
          ]),
      `Variance of pre-activations over the dense network's, where outputs have weights left: ${spread(layers, before, dense)} after pruning, ${spread(layers, after, dense)} after rescaling.`,
      `Forward gain, geometric mean over layers that an activation follows: ${staged((stage) => shown(meanForwardGain(layers, stage)))}.`,
      `Backward gain, over the same layers: ${staged((stage) => shown(meanBackwardGain(layers, stage)))}.`,
    ],
  };
}

/** q over the outputs that have weights left, from q over all of them; null where it is not known. */
export function livingVariance(
  { living, deadMeanSquare }: Pick<RescaledLayer, "living" | "deadMeanSquare">,
  q: number | null,
): number | null {
  return q === null || living === 0 ? null : Math.max(0, q - deadMeanSquare) / living;
}

/**
 * χ = σ_w² E φ'² with σ_w of what is left and the measured variance.
 * @param factors of each layer; null for the dense network.
 */
function nominalChi(
  layers: readonly RescaledLayer[],
  measured: MeasuredPropagation,
  factors: readonly (number | null)[] | null,
): number | null {
  return geometricMean(
    layers.map(({ site, meanSquare, maskedMeanSquare }, l) => {
      const q = measured.layers[l]?.q ?? null;
      const { activation, limits, fanIn } = site;
      if (activation === null || limits.length > 0 || fanIn === null || q === null || q === 0) return null;
      const left = factors === null ? meanSquare : maskedMeanSquare * (factors[l] ?? 1) ** 2;
      return chi(activation, { sigmaW: Math.sqrt(fanIn * left), sigmaB: 0 }, q);
    }),
  );
}

/**
 * Geometric mean of what the variance is multiplied by from each layer to the next, over layers that an activation
 * follows: the last one is drawn otherwise.
 */
const meanForwardGain = (layers: readonly Followed[], measured: MeasuredPropagation): number | null =>
  meanGain(layers, measured, ({ q }) => q);

/** The same of the squared gradient, on its way from each layer to the one before. */
export function meanBackwardGain(layers: readonly Followed[], measured: MeasuredPropagation): number | null {
  const gain = meanGain(layers, measured, ({ gradient }) => gradient);
  return gain === null ? null : 1 / gain;
}

type Followed = Pick<RescaledLayer, "site">;

function meanGain(
  layers: readonly Followed[],
  measured: MeasuredPropagation,
  figure: (layer: MeasuredLayer) => number | null,
): number | null {
  return geometricMean(
    measured.layers.map((layer, l) => {
      const previous = layer?.previous == null ? null : (measured.layers[layer.previous] ?? null);
      if (layer === null || previous === null || layers[l]!.site.activation === null) return null;
      const [own, before] = [figure(layer), figure(previous)];
      return own === null || before === null ? null : own / before;
    }),
  );
}

/** Of those that are positive and finite; null without any. */
function geometricMean(values: readonly (number | null)[]): number | null {
  const logs = values.flatMap((value) => (value !== null && value > 0 && value < Infinity ? [Math.log(value)] : []));
  return logs.length === 0 ? null : Math.exp(logs.reduce((sum, one) => sum + one, 0) / logs.length);
}

/** Least and largest ratio of variances. */
function spread(layers: readonly RescaledLayer[], measured: MeasuredPropagation, dense: MeasuredPropagation): string {
  const ratios = layers.flatMap((layer, l) => {
    const [is, was] = [livingVariance(layer, measured.layers[l]?.q ?? null), dense.layers[l]?.q ?? null];
    return is === null || was === null || was === 0 ? [] : [is / was];
  });
  return ratios.length === 0 ? "not known" : `${short(Math.min(...ratios))} to ${short(Math.max(...ratios))}`;
}

const shown = (value: number | null): string => (value === null ? "not known" : short(value));
const short = (value: number): string => String(Number(value.toPrecision(4)));
