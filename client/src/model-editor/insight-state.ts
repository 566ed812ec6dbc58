/** What is still true of what was found out about a model when the model, its result or the sparsity changes. */
import type { Insights, ViewState } from "../../../server/protocol/view.js";

/** What insights depend on. */
export type Known = Pick<ViewState, "model" | "result" | "insights">;

/** The insights of `before` that hold for `after` as well: theory and parity for the same file, the others for the same result. */
export function keptInsights(before: Known, after: Omit<Known, "insights">): Insights {
  const sameFile = before.model !== null && before.model.fingerprint === after.model?.fingerprint;
  const same = sameFile && sameResult(before.result, after.result);
  const { theory, collapse, measured, remedies, parity } = before.insights;
  return {
    theory: sameFile ? theory : null,
    collapse: same ? collapse : null,
    measured: same ? measured : null,
    remedies: same ? remedies : null,
    parity: sameFile ? parity : null,
  };
}

/** Scores and recipe decide everything; the sparsity moves without a new result. */
function sameResult(a: ViewState["result"], b: ViewState["result"]): boolean {
  if (a === null || b === null) return a === b;
  return a === b || (a.resultId === b.resultId && JSON.stringify(a.recipe) === JSON.stringify(b.recipe));
}
