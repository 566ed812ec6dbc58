/**
 * What is known of a model beside scores and mask, laid out by layer: its theory, and how many of the kept weights lie
 * on a path through the network at the sparsity that was looked at.
 */
import type { ErrorData } from "../../../server/protocol/errors.js";
import type { CollapseReport, LayerTheory } from "../../../server/protocol/insights.js";
import type { Insights } from "../../../server/protocol/view.js";
import type { Survey } from "./survey.js";

export interface Findings {
  readonly survey: Survey;
  readonly insights: Insights;
  /** By layer; null where there is none. */
  readonly theory: readonly (LayerTheory | null)[];
  /** Of the scores that are shown; null while it is not known. */
  readonly collapse: CollapseReport | null;
  /** Share of each layer's weights that is kept and on a path, at the sparsity of `collapse`; NaN where unknown. */
  readonly effective: Float64Array | null;
}

/** Whether a part of the insights is why there is none. */
export function isError(part: object): part is ErrorData {
  return "code" in part && "message" in part;
}

/** A part of the insights where it is known. */
export function known<T extends object>(part: T | ErrorData | null): T | null {
  return part === null || isError(part) ? null : part;
}

/** Joins insights with the model that they are about. */
export function findingsOf(survey: Survey, insights: Insights): Findings {
  const byId = new Map(known(insights.theory)?.layers.map((layer) => [layer.id, layer]));
  const found = known(insights.collapse);
  const collapse = found !== null && found.resultId === survey.analysis?.result.resultId ? found : null;
  return {
    survey,
    insights,
    theory: survey.model.layers.map(({ id }) => byId.get(id) ?? null),
    collapse,
    effective: collapse === null ? null : effectiveOf(survey, collapse),
  };
}

function effectiveOf(survey: Survey, { effective }: CollapseReport): Float64Array | null {
  const report = known(effective);
  if (report === null) return null;
  const shares = new Float64Array(survey.sizes.length).fill(NaN);
  for (const layer of report.layers) {
    const l = survey.indexOf.get(layer.id);
    const size = l === undefined ? 0 : survey.sizes[l]!;
    if (l !== undefined && size > 0 && layer.effective !== null) shares[l] = layer.effective / size;
  }
  return shares;
}
