/**
 * What is found out about a model beside its result: output shapes, parity, theory and collapse by themselves, one after
 * the other and only while nothing else waits for the engine; measurements and remedies when the person asks for them.
 */
import { l10n } from "vscode";
import { type ErrorData, toErrorData } from "../../../server/protocol/errors.js";
import type { Recipe } from "../../../server/protocol/recipe.js";
import type { JobName, Jobs, ModelRef } from "../../../server/protocol/requests.js";
import type { Insights, ViewState } from "../../../server/protocol/view.js";
import { isStale, requestError, ServerLost } from "../server/request-error.js";
import type { JobRunner } from "../server/supervised-server.js";
import type { ModelSettings } from "../settings.js";
import type { Activities, Work } from "./activity.js";

/** The session, as far as it is looked at and told. */
export interface Watched {
  readonly server: JobRunner;
  readonly activities: Activities;
  readonly state: Pick<ViewState, "insights" | "model" | "recipe" | "result" | "shapes">;
  /** The open model; null while there is none. */
  readonly ref: ModelRef | null;
  /** Main work is under way, or failed, or the session is over. */
  readonly busy: boolean;
  /** The person asked for another attempt at a file that crashed the engine. */
  readonly retrying: boolean;
  settings(): ModelSettings;
  show(change: Partial<Pick<ViewState, "insights" | "shapes">>): void;
  /** Writes an error into the log. */
  note(error: unknown): void;
  /** The file is another by now. */
  reload(): void;
}

/** The format whose models are lowered to a graph of ours, which is held against the original. */
const loweredFormat = "tfjs";

/** σ_b of suggested initialisations: tanh and its like have a stable edge of chaos there. */
const suggestedSigmaB = 0.2;

/** Weights up to which paths are followed without being asked to: it takes seconds, and a few bytes for each. */
const mostFollowed = 2e7;

export class LookingOn {
  #work: Work | null = null;
  /** Result and sparsity that the collapse was asked for. */
  #collapseOf = "";

  constructor(private readonly session: Watched) {}

  /** Stops what is under way; what it finds is not shown. */
  abort(): void {
    this.#work?.controller.abort();
    this.#work = null;
  }

  /** Finds out what is not known yet. Never rejects. */
  async go(): Promise<void> {
    const { busy, ref, retrying, state } = this.session;
    const { model, result, shapes, insights, recipe } = state;
    if (busy || this.#work !== null || ref === null || model === null) return;
    const { dynamicAxes } = this.session.settings();
    const collapseOf = result === null ? "" : JSON.stringify([result.resultId, result.recipe, recipe.sparsity]);
    if (shapes === null) {
      const params = { ...ref, dynamicAxes, ...(retrying ? { retry: true } : {}) };
      await this.#into(l10n.t("Finding output shapes"), "shapes", params, (found) => {
        this.session.show({ shapes: found });
      });
    } else if (result !== null && model.format === loweredFormat && insights.parity === null) {
      const params = { ...ref, seed: recipe.seed, dynamicAxes };
      await this.#into(l10n.t("Comparing with the original in TensorFlow.js"), "parity", params, (parity) => {
        this.#tell({ parity });
      });
    } else if (result !== null && insights.theory === null) {
      const params = { ...ref, sigmaB: suggestedSigmaB, dynamicAxes };
      await this.#into(l10n.t("Looking at the initialisation"), "theory", params, (theory) => {
        this.#tell({ theory });
      });
    } else if (result !== null && this.#collapseOf !== collapseOf && model.prunable <= mostFollowed) {
      const params = { ...ref, recipe: { ...result.recipe, sparsity: recipe.sparsity } };
      await this.#into(l10n.t("Following paths through the network"), "collapse", params, (collapse) => {
        this.#collapseOf = collapseOf;
        this.#tell({ collapse });
      });
    } else return;
    void this.go();
  }

  /** Measures conditioning and propagation; with two runs or more, how stable the mask is. Never rejects. */
  measure(stabilityRuns: number): Promise<void> {
    const { server } = this.session;
    return this.#onRequest("measured", l10n.t("Measuring"), "measure", (about, signal) =>
      server.request("measure", { ...about, stabilityRuns }, signal),
    );
  }

  /** Computes what would help, within so many seconds. Never rejects. */
  remedies(budget: number): Promise<void> {
    const { server } = this.session;
    return this.#onRequest("remedies", l10n.t("Computing what would help"), "remedies", (about, signal) =>
      server.request("remedies", { ...about, budget }, signal),
    );
  }

  /** One job beside everything else; what it finds, or why it does not, is handed to `found` unless it is outdated. */
  async #into<J extends "shapes" | "parity" | "theory" | "collapse">(
    label: string,
    job: J,
    params: Jobs[J]["params"],
    found: (result: Jobs[J]["result"] | ErrorData) => void,
  ): Promise<void> {
    const { activities, server } = this.session;
    const work = activities.begin(label, job);
    this.#work = work;
    try {
      const result = await server.request(job, params, work.controller.signal);
      if (this.#work === work) found(result);
    } catch (error) {
      const known = requestError(error);
      if (this.#work !== work || known instanceof ServerLost) return;
      if (isStale(known)) this.session.reload();
      else {
        if (known.code !== "cancelled") this.session.note(error);
        found(toErrorData(known));
      }
    } finally {
      if (this.#work === work) this.#work = null;
      activities.end(work);
    }
  }

  /** One job about the shown result; what it finds is dropped when another is shown by then. */
  async #onRequest<P extends "measured" | "remedies">(
    part: P,
    label: string,
    job: JobName,
    ask: (about: ModelRef & { readonly recipe: Recipe }, signal: AbortSignal) => Promise<Insights[P]>,
  ): Promise<void> {
    const { activities, ref, state } = this.session;
    const { result, recipe } = state;
    if (result === null || ref === null) return;
    const work = activities.begin(label, job);
    const { signal } = work.controller;
    const show = (found: Insights[P] | ErrorData): void => {
      if (this.session.state.result === result) this.#tell({ [part]: found });
    };
    try {
      show(await ask({ ...ref, recipe: { ...result.recipe, sparsity: recipe.sparsity } }, signal));
    } catch (error) {
      const known = requestError(error);
      if (isStale(known)) this.session.reload();
      else if (!signal.aborted && known.code !== "cancelled") {
        this.session.note(error);
        show(toErrorData(known));
      }
    } finally {
      activities.end(work);
    }
  }

  #tell(change: Partial<Insights>): void {
    this.session.show({ insights: { ...this.session.state.insights, ...change } });
  }
}
