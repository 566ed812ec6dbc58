/**
 * One comparison of two models: what its page shows, and the job behind it. Comparing again (on other data, or because
 * a file changed) keeps the last report in view until the next one is there. Everything outside is a port.
 */
import { l10n } from "vscode";
import type { CompareReport, ComparisonState, ToComparison } from "../../../server/protocol/compare.js";
import { toErrorData } from "../../../server/protocol/errors.js";
import type { Recipe } from "../../../server/protocol/recipe.js";
import type { Progress } from "../../../server/protocol/requests.js";
import { Activities } from "../model-editor/activity.js";
import { refuseIfAborted, requestError, worthRetrying } from "../server/request-error.js";
import type { JobRunner } from "../server/supervised-server.js";

/** Seconds that measuring latency may take. */
export const latencySeconds = 5;

export interface ComparisonPorts {
  readonly server: JobRunner;
  /** Name of this comparison's work for the server. */
  readonly uri: string;
  /** Paths of both models' bytes, read afresh. */
  paths(signal: AbortSignal): Promise<{ readonly original: string; readonly pruned: string }>;
  post(message: ToComparison): void;
  /** Writes an error into the log. */
  note(error: unknown): void;
}

export class ComparisonSession {
  readonly #activities: Activities;
  #report: CompareReport | null = null;
  #newest: AbortController | null = null;
  #disposed = false;

  /** @param recipe whose data, seed, batch and lengths of axes the models are run with. */
  constructor(
    private readonly ports: ComparisonPorts,
    private readonly names: Pick<ComparisonState, "original" | "pruned">,
    private recipe: Recipe,
  ) {
    this.#activities = new Activities((activity) => {
      if (!this.#disposed) ports.post({ type: "activity", activity });
    });
  }

  get state(): ComparisonState {
    return { ...this.names, report: this.#report, activity: this.#activities.current };
  }

  /** Compares; an earlier comparison is cancelled. Never rejects: the state says what happened. */
  async run(): Promise<void> {
    this.#newest?.abort();
    this.#activities.fail(null);
    const work = this.#activities.begin(l10n.t("Comparing"), "compare");
    const { controller } = work;
    this.#newest = controller;
    try {
      const { original, pruned } = await this.ports.paths(controller.signal);
      const params = { uri: this.ports.uri, path: original, pruned, recipe: this.recipe, latencySeconds };
      const report = await this.ports.server.request("compare", params, controller.signal);
      refuseIfAborted(controller.signal);
      this.#report = report;
    } catch (error) {
      if (this.#newest === controller) this.#fail(error);
    } finally {
      if (this.#newest === controller) this.#newest = null;
      this.#activities.end(work);
      if (!this.#disposed) this.ports.post({ type: "comparison", state: this.state });
    }
  }

  /** Compares again, on these samples. */
  runOn(data: string): Promise<void> {
    this.recipe = { ...this.recipe, data };
    return this.run();
  }

  progress(progress: Progress): void {
    this.#activities.progress("compare", progress);
  }

  cancel(): void {
    this.#activities.cancelAll();
  }

  dispose(): void {
    this.#disposed = true;
    this.#activities.cancelAll();
  }

  #fail(error: unknown): void {
    const known = requestError(error);
    const cancelled = known.code === "cancelled";
    if (!cancelled) this.ports.note(error);
    // Who cancels a second comparison goes back to the first.
    if (cancelled && this.#report !== null) return;
    this.#activities.fail({ error: toErrorData(known), retry: cancelled || worthRetrying(known.code) });
  }
}
