/** One open model with a server that does what the test says, and all that was asked of it and told. */
import { ModelSession } from "../../client/src/model-editor/model-session.js";
import { Cancelled } from "../../client/src/server/request-error.js";
import type { JobRunner } from "../../client/src/server/supervised-server.js";
import type { ModelView } from "../../server/protocol/model.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import type { AnalysisResult } from "../../server/protocol/report.js";
import type { AnalyzeParams, JobName, Jobs } from "../../server/protocol/requests.js";
import type { ToView } from "../../server/protocol/view.js";

export type Answer = (params: unknown, signal: AbortSignal) => unknown;

export const dynamicAxes = { batch: 2 };
/** The recipe of the settings. */
export const settled = { ...defaultRecipe, axes: dynamicAxes };

/** A model as far as a session reads it; what it only hands on is left out. */
export const model = (fingerprint: string, ...ids: string[]): ModelView =>
  ({ fingerprint, prunable: 100, layers: ids.map((id) => ({ id })) }) as unknown as ModelView;
/** A result as far as a session reads it. */
const resultFor = (recipe: Recipe): AnalysisResult =>
  ({ resultId: recipe.criterion, recipe, report: {} }) as unknown as AnalysisResult;

export const analyzed: Answer = (params) => resultFor((params as AnalyzeParams).recipe);
export const pending: Answer = (_params, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(new Cancelled());
    });
  });
export const failing =
  (error: Error): Answer =>
  () => {
    throw error;
  };
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

export interface SessionStage {
  readonly session: ModelSession;
  /** By job, in the order of the questions; the last serves all that come after. */
  readonly answers: Partial<Record<JobName, Answer[]>>;
  readonly asked: { readonly job: JobName; readonly params: unknown }[];
  readonly posted: ToView[];
  readonly noted: unknown[];
  readonly settings: { analyzeOnOpen: boolean };
}

/** A session of `file:///m.onnx`, whose path is `/m.onnx` and afresh `/fresh.onnx`; everything is answered. */
export function sessionStage(): SessionStage {
  const answers: SessionStage["answers"] = {
    open: [() => model("f1", "a", "b")],
    analyze: [analyzed],
    shapes: [() => ({ outputs: {} })],
    theory: [() => ({ sigmaB: 0.2 })],
    collapse: [() => ({ order: [] })],
  };
  const asked: SessionStage["asked"] = [];
  const posted: ToView[] = [];
  const noted: unknown[] = [];
  const settings = { analyzeOnOpen: true };
  const server: JobRunner = {
    request: async <J extends JobName>(job: J, params: Jobs[J]["params"], signal: AbortSignal) => {
      asked.push({ job, params });
      const queue = answers[job] ?? [];
      const answer = queue.length > 1 ? queue.shift() : queue[0];
      return (await answer?.(params, signal)) as Jobs[J]["result"];
    },
  };
  const session = new ModelSession(
    {
      server,
      uri: "file:///m.onnx",
      path: (fresh) => Promise.resolve(fresh ? "/fresh.onnx" : "/m.onnx"),
      settings: () => ({ recipe: defaultRecipe, dynamicAxes, ...settings }),
      post: (message) => posted.push(message),
      note: (error) => noted.push(error),
    },
    "m.onnx",
    defaultRecipe,
  );
  return { session, answers, asked, posted, noted, settings };
}
