/** Parts of the host's state that did not change keep their identity, so that nothing that shows them is built again. */
import type { ModelView } from "../../../server/protocol/model.js";
import type { AnalysisResult } from "../../../server/protocol/report.js";
import type { Insights, ViewState } from "../../../server/protocol/view.js";

/** `after`, with the parts of `before` that say the same. */
export function keepSame(before: ViewState, after: ViewState): ViewState {
  const { model, result } = before;
  return {
    ...after,
    model: sameModel(model, after.model) ? model : after.model,
    result: sameResult(result, after.result) ? result : after.result,
    insights: sameInsights(before.insights, after.insights),
  };
}

function sameInsights(before: Insights, after: Insights): Insights {
  const same = <K extends keyof Insights>(part: K): Insights[K] =>
    JSON.stringify(before[part]) === JSON.stringify(after[part]) ? before[part] : after[part];
  return {
    theory: same("theory"),
    collapse: same("collapse"),
    measured: same("measured"),
    remedies: same("remedies"),
    parity: same("parity"),
  };
}

function sameModel(a: ModelView | null, b: ModelView | null): boolean {
  if (a === null || b === null) return a === b;
  return a.fingerprint === b.fingerprint && JSON.stringify(a) === JSON.stringify(b);
}

/** Scores and recipe together decide everything in a result, so its arrays need not be compared. */
function sameResult(a: AnalysisResult | null, b: AnalysisResult | null): boolean {
  if (a === null || b === null) return a === b;
  return a.resultId === b.resultId && JSON.stringify(a.recipe) === JSON.stringify(b.recipe);
}
