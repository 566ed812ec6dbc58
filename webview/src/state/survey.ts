/**
 * A model with its finished analysis, decoded once and laid out by layer, so that a moved slider only walks arrays.
 * Everything is in the model's layer order.
 */
import { decodeArray } from "../../../server/protocol/codec.js";
import type { LayerId, ModelView } from "../../../server/protocol/model.js";
import type { AnalysisResult, LayerReport } from "../../../server/protocol/report.js";
import { decodeSurvival, type Survival } from "../../../server/protocol/survival.js";
import type { Histogram } from "./histogram.js";

export interface Survey {
  readonly model: ModelView;
  readonly sizes: readonly number[];
  readonly indexOf: ReadonlyMap<LayerId, number>;
  /** Null while no result fits the model. */
  readonly analysis: Analysis | null;
}

export interface Analysis {
  readonly result: AnalysisResult;
  readonly layers: readonly LayerReport[];
  readonly survival: Survival;
  readonly histograms: readonly Histogram[];
  /** Index of the layer that goes first, or -1 when none can be ranked. */
  readonly first: number;
  /** Layers with scores that are no finite numbers and that are not excluded: nothing can be ranked until they are. */
  readonly blocking: readonly number[];
}

/** Decodes `result` and joins it with `model`. A result of other layers is left out. */
export function surveyOf(model: ModelView, result: AnalysisResult | null): Survey {
  return {
    model,
    sizes: model.layers.map((layer) => layer.parameters),
    indexOf: new Map(model.layers.map((layer, index) => [layer.id, index])),
    analysis: result === null ? null : analysisOf(model, result),
  };
}

function analysisOf(model: ModelView, result: AnalysisResult): Analysis | null {
  const layers = result.report.layers;
  if (layers.length !== model.layers.length || layers.some((layer, l) => layer.id !== model.layers[l]!.id)) return null;
  const survival = decodeSurvival(result.survival);
  if (survival.layers !== layers.length) return null;
  let first = -1;
  for (const [l, { criticalSparsity }] of layers.entries()) {
    if (criticalSparsity === null) continue;
    if (first < 0 || criticalSparsity < layers[first]!.criticalSparsity!) first = l;
  }
  return {
    result,
    layers,
    survival,
    histograms: result.histograms.map(({ first, perOctave, counts }) => ({
      first,
      perOctave,
      counts: decodeArray(counts),
    })),
    first,
    blocking: [...layers.keys()].filter((l) => (layers[l]!.score?.nonFinite ?? 0) > 0 && !layers[l]!.excluded),
  };
}
