/** What the reports of conditioning and propagation draw over depth, laid out by the model's layers. */
import type { Conditioning, ConditioningRate, Propagation } from "../../../server/protocol/insights.js";
import type { LayerId } from "../../../server/protocol/model.js";
import type { ViewStore } from "../state/store.js";
import { createDepthFigure, type DepthFigure, type NamedSeries } from "./depth-figure.js";

/** m and n·m with the exponentials fitted to them. */
export function conditioningFigure(document: Document, store: ViewStore, report: Conditioning): DepthFigure {
  const m = byLayer(store, report.layers, (layer) => layer.m);
  const total = byLayer(store, report.layers, (layer) => layer.total);
  const fits: NamedSeries[] = [
    ...fitted(report.layers, report.rate, ({ m: value }) => value, store),
    ...fitted(report.layers, report.totalRate, ({ total: value }) => value, store),
  ];
  return createDepthFigure(document, store, {
    title: "Sensitivity",
    meaning: rateWords(report.rate),
    logarithmic: true,
    series: [
      { name: "m", look: "measured", values: m },
      { name: "n·m", look: "second", values: total },
      ...fits.slice(0, 1).map((fit) => ({ ...fit, name: "fit" })),
    ],
  });
}

/** q, c, forward and backward gain, measured and foretold. */
export function propagationFigures(document: Document, store: ViewStore, { layers }: Propagation): DepthFigure[] {
  const pair = (
    measured: (layer: Propagation["layers"][number]) => number | null,
    predicted: (layer: Propagation["layers"][number]) => number | null,
  ): NamedSeries[] => [
    { name: "measured", look: "measured", values: byLayer(store, layers, measured) },
    { name: "theory", look: "predicted", values: byLayer(store, layers, predicted) },
  ];
  const figure = (
    title: string,
    meaning: string,
    series: NamedSeries[],
    more: { readonly logarithmic: boolean; readonly neutral?: number; readonly least?: readonly [number, number] },
  ): DepthFigure => createDepthFigure(document, store, { title, meaning, series, ...more });
  return [
    figure(
      "Variance q",
      "mean square of the pre-activations",
      pair(
        (l) => l.q,
        (l) => l.predicted?.q ?? null,
      ),
      {
        logarithmic: true,
      },
    ),
    figure(
      "Correlation c",
      "of two samples' pre-activations",
      pair(
        (l) => l.c,
        (l) => l.predicted?.c ?? null,
      ),
      {
        logarithmic: false,
        least: [0, 1],
      },
    ),
    figure(
      "Forward gain",
      "of q, from the layer before",
      pair((l) => l.forwardGain, foretoldGain),
      {
        logarithmic: true,
        neutral: 1,
        least: [0.5, 2],
      },
    ),
    figure(
      "Backward gain",
      "of the squared gradient, to the layer before; theory: χ",
      pair(
        (l) => l.backwardGain,
        (l) => l.predicted?.chi ?? null,
      ),
      { logarithmic: true, neutral: 1, least: [0.5, 2] },
    ),
  ];
}

/** Theory's q over the one that was measured a layer before. */
function foretoldGain({ q, forwardGain, predicted }: Propagation["layers"][number]): number | null {
  return predicted === null || q === null || forwardGain === null || q === 0 ? null : (predicted.q * forwardGain) / q;
}

/** "grows by a factor of 1.12 a layer (95 %: 1.05 to 1.19, 38 layers)". */
function rateWords(rate: ConditioningRate | null): string {
  if (rate === null) return "mean square of w·∂L/∂w, and summed over a layer's weights";
  const factor = (log: number): string => String(Number(Math.exp(log).toPrecision(3)));
  return `m changes by a factor of ${factor(rate.rate)} a layer (95 %: ${factor(rate.low)} to ${factor(rate.high)}, ${rate.layers} layers)`;
}

/** The exponential with the fitted rate through the middle of the points; nothing where there is no rate. */
function fitted<T extends { readonly id: LayerId }>(
  layers: readonly T[],
  rate: ConditioningRate | null,
  value: (layer: T) => number,
  store: ViewStore,
): NamedSeries[] {
  const points = layers.flatMap((layer, depth) => (value(layer) > 0 ? [{ depth, log: Math.log(value(layer)) }] : []));
  if (rate === null || points.length === 0) return [];
  const mean = (of: (point: { depth: number; log: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [depth, log] = [mean((point) => point.depth), mean((point) => point.log)];
  const at = new Map(layers.map(({ id }, l) => [id, Math.exp(log + rate.rate * (l - depth))]));
  return [{ name: "", look: "fit", values: byLayer(store, layers, ({ id }) => at.get(id) ?? null) }];
}

/** A value for every layer of the model, null where the report has none. */
function byLayer<T extends { readonly id: LayerId }>(
  store: ViewStore,
  layers: readonly T[],
  value: (layer: T) => number | null,
): (number | null)[] {
  const byId = new Map(layers.map((layer) => [layer.id, value(layer)]));
  return (store.survey?.model.layers ?? []).map(({ id }) => byId.get(id) ?? null);
}
