/**
 * Messages between the results view (a webview) and its host (the extension, or nobody in a saved HTML report). The
 * view says `ready` and gets the whole state; every request is answered, with a result or an error.
 */
import type { ErrorData } from "./errors.js";
import type { CollapseReport, MeasureReport, RemediesReport, TheoryReport } from "./insights.js";
import type { LayerId, ModelView } from "./model.js";
import type { ParityReport } from "./parity.js";
import type { Recipe, Scope } from "./recipe.js";
import type { Progress, ShapesResult } from "./requests.js";
import type { AnalysisResult, CompressReport, ExactSurvival, SaveReport, VerifyReport } from "./report.js";

/** What the host is doing for this view. */
export type Activity =
  | { readonly kind: "idle" }
  | { readonly kind: "working"; readonly label: string; readonly progress: Progress | null }
  /** The work failed; `retry` says whether trying again makes sense (a crash, say). */
  | { readonly kind: "failed"; readonly error: ErrorData; readonly retry: boolean };

/** After a save: what was written, and what is still being found out about it. */
export interface SavedView {
  readonly save: SaveReport;
  readonly verify: VerifyReport | ErrorData | null;
  readonly compress: CompressReport | ErrorData | null;
}

/** What goes beyond scores and mask: each null until it is known, an error where it cannot be. */
export interface Insights {
  readonly theory: TheoryReport | ErrorData | null;
  readonly collapse: CollapseReport | ErrorData | null;
  readonly measured: MeasureReport | ErrorData | null;
  readonly remedies: RemediesReport | ErrorData | null;
  /** Stays null for formats that ONNX Runtime runs as they are. */
  readonly parity: ParityReport | ErrorData | null;
}

/** Nothing is known yet. */
export const noInsights: Insights = Object.freeze({
  theory: null,
  collapse: null,
  measured: null,
  remedies: null,
  parity: null,
});

/** Everything the view shows. It is also what a saved HTML report holds. */
export interface ViewState {
  /** `report`: a saved page with no host behind it: no saving, no exact counts away from the saved sparsity. */
  readonly mode: "editor" | "report";
  /** Name to show, usually the file's base name. */
  readonly title: string;
  readonly recipe: Recipe;
  readonly model: ModelView | null;
  /** Output shapes from ONNX Runtime: null until they are known, an error when they cannot be. */
  readonly shapes: ShapesResult | ErrorData | null;
  readonly result: AnalysisResult | null;
  readonly insights: Insights;
  readonly activity: Activity;
  readonly saved: SavedView | null;
  /** A sentence above everything, for example that the file changed on disk. */
  readonly banner: string | null;
}

/** Host to view. */
export type ToView =
  | { readonly type: "state"; readonly state: ViewState }
  | { readonly type: "activity"; readonly activity: Activity }
  | { readonly type: "reveal"; readonly layer: LayerId }
  | { readonly type: "reply"; readonly id: number; readonly result: ExactSurvival }
  | { readonly type: "reply"; readonly id: number; readonly error: ErrorData };

/** View to host. */
export type FromView =
  | { readonly type: "ready" }
  /** Exact counts at a sparsity; answered by a `reply` with the same id. */
  | { readonly type: "survival"; readonly id: number; readonly sparsity: number; readonly scope: Scope }
  /** Another criterion, scope, seed, data, loss or list of exclusions: analyse again and send the state. */
  | { readonly type: "recipe"; readonly recipe: Recipe }
  /** The person wants to pick a data file, or a folder; the host asks which, and analyses with it. */
  | { readonly type: "chooseData"; readonly folder: boolean }
  /** The sparsity came to rest: remembered, not analysed again. */
  | { readonly type: "sparsity"; readonly sparsity: number }
  /** Conditioning and propagation on data; with two runs or more, how stable the mask is. */
  | { readonly type: "measure"; readonly stabilityRuns: number }
  /** What would help, within so many seconds. */
  | { readonly type: "remedies"; readonly budget: number }
  | { readonly type: "save"; readonly recipe: Recipe; readonly as: boolean }
  | { readonly type: "cancel" }
  | { readonly type: "retry" }
  /** The file is no model after all: the person wants to read it. */
  | { readonly type: "openText" };

/** Checks a message from the view. @returns the message, or null when it is none. */
export function parseFromView(input: unknown): FromView | null {
  if (typeof input !== "object" || input === null) return null;
  const message = input as Record<string, unknown>;
  switch (message["type"]) {
    case "ready":
    case "cancel":
    case "openText":
    case "retry":
      return { type: message["type"] };
    case "survival": {
      const { id, sparsity, scope } = message;
      if (typeof id !== "number" || !isSparsity(sparsity) || (scope !== "global" && scope !== "layer")) return null;
      return { type: "survival", id, sparsity, scope };
    }
    case "chooseData":
      return typeof message["folder"] === "boolean" ? { type: "chooseData", folder: message["folder"] } : null;
    case "measure": {
      const { stabilityRuns } = message;
      return isWhole(stabilityRuns, 100) ? { type: "measure", stabilityRuns } : null;
    }
    case "remedies": {
      const { budget } = message;
      return typeof budget === "number" && budget >= 0 && budget <= 86400 ? { type: "remedies", budget } : null;
    }
    case "sparsity":
      return isSparsity(message["sparsity"]) ? { type: "sparsity", sparsity: message["sparsity"] } : null;
    case "recipe":
    case "save": {
      // The recipe's fields are checked by `parseRecipe` where it is used.
      const recipe = message["recipe"];
      if (typeof recipe !== "object" || recipe === null) return null;
      if (message["type"] === "recipe") return { type: "recipe", recipe: recipe as Recipe };
      return { type: "save", recipe: recipe as Recipe, as: message["as"] === true };
    }
    default:
      return null;
  }
}

const isWhole = (value: unknown, most: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;

function isSparsity(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < 1;
}
