/**
 * One open model: what its views show, and the flow from opening the file to its result: the model as soon as it is
 * read, the result when it is analysed, again when the recipe or the file changes or the server comes back. Only the
 * newest of these counts. Everything outside is a port; views get what they show as messages.
 */
import { l10n } from "vscode";
import { PruneScopeError, toErrorData } from "../../../server/protocol/errors.js";
import type { ModelView } from "../../../server/protocol/model.js";
import type { Recipe, Scope } from "../../../server/protocol/recipe.js";
import type { ExactSurvival } from "../../../server/protocol/report.js";
import type { JobName, ModelRef, Progress } from "../../../server/protocol/requests.js";
import { noInsights, type ToView, type ViewState } from "../../../server/protocol/view.js";
import {
  Cancelled,
  isStale,
  refuseIfAborted,
  requestError,
  ServerLost,
  worthRetrying,
} from "../server/request-error.js";
import type { JobRunner } from "../server/supervised-server.js";
import type { ModelSettings } from "../settings.js";
import type { SettlingListener } from "../source/settling.js";
import { Activities, type Work } from "./activity.js";
import { fittingRecipe } from "./fitting-recipe.js";
import { keptInsights } from "./insight-state.js";
import { LookingOn, type Watched } from "./looking-on.js";

export interface SessionPorts {
  readonly server: JobRunner;
  readonly uri: string;
  /** Path of the model's bytes; `fresh` when they may have changed. */
  path(fresh: boolean, signal: AbortSignal): Promise<string>;
  settings(): ModelSettings;
  /** Sends a message to every view of the model. */
  post(message: ToView): void;
  /** Writes an error into the log. */
  note(error: unknown): void;
}

interface LoadOptions {
  /** The bytes may have changed. */
  readonly fresh?: boolean;
  /** The person asked for another attempt. */
  readonly retry?: boolean;
  /** Analyse although the settings say not to. */
  readonly analyze?: boolean;
  readonly label?: string;
}

/** Server deaths in a row, during work on this model, after which the person is asked. */
const patience = 3;

export class ModelSession implements SettlingListener {
  readonly #activities: Activities;
  #state: Omit<ViewState, "activity">;
  #path: string | null = null;
  #main: Work | null = null;
  #running: Promise<void> = Promise.resolve();
  /** What is found out beside the result. */
  readonly looking: LookingOn;
  #retrying = false;
  #losses = 0;
  #disposed = false;

  constructor(
    private readonly ports: SessionPorts,
    title: string,
    recipe: Recipe,
  ) {
    this.#state = {
      mode: "editor",
      title,
      recipe,
      model: null,
      shapes: null,
      result: null,
      insights: noInsights,
      saved: null,
      banner: null,
    };
    this.#activities = new Activities((activity) => {
      if (!this.#disposed) ports.post({ type: "activity", activity });
    });
    this.looking = new LookingOn(this.#watched());
  }

  get state(): ViewState {
    return { ...this.#state, activity: this.#activities.current };
  }

  /** Path of the file that the model was read from; null before it was. */
  get path(): string | null {
    return this.#path;
  }

  /** Waits for a model that is being read or analysed for the first time. */
  async firstResult(): Promise<void> {
    while (this.#main !== null && this.#state.result === null) await this.#running;
  }

  /** Reads and analyses the model. Never rejects: the state says what happened. */
  async load(options: LoadOptions = {}): Promise<void> {
    const label = options.label ?? (this.#state.model === null ? l10n.t("Opening") : l10n.t("Reading again"));
    const retry = options.retry === true ? { retry: true } : {};
    await this.#run(label, "open", async (work) => {
      const { signal } = work.controller;
      const path = await this.ports.path(options.fresh === true, signal);
      const { dynamicAxes, analyzeOnOpen } = this.ports.settings();
      const ref: ModelRef = { uri: this.ports.uri, path };
      const model = await this.ports.server.request("open", { ...ref, dynamicAxes, ...retry }, signal);
      refuseIfAborted(signal);
      this.#path = path;
      this.#retrying = options.retry === true;
      const old = this.#state.result;
      const recipe = fittingRecipe({ ...this.#state.recipe, axes: dynamicAxes }, model);
      if (!analyzeOnOpen && old === null && options.analyze !== true) {
        this.#setModel(model, { recipe });
        return;
      }
      // The first time the model is shown at once; later the old view stays until both are there.
      if (old === null) this.#setModel(model, { recipe });
      this.#activities.next(work, l10n.t("Analyzing"), "analyze");
      try {
        const result = await this.ports.server.request("analyze", { ...ref, recipe, ...retry }, signal);
        refuseIfAborted(signal);
        const { sparsity } = this.#state.recipe;
        this.#setModel(model, { result, recipe: { ...recipe, sparsity } });
      } catch (error) {
        if (!signal.aborted && !(error instanceof ServerLost)) {
          // A result of the same bytes is still true.
          const same = this.#state.model?.fingerprint === model.fingerprint;
          this.#setModel(model, same ? { recipe } : { recipe, result: null });
        }
        throw error;
      }
    });
  }

  /** Analyses with another recipe; what is shown stays until the new result is there. */
  async analyze(recipe: Recipe): Promise<void> {
    const { model } = this.#state;
    const path = this.#path;
    if (model === null || path === null) {
      this.#state = { ...this.#state, recipe };
      await this.load({ analyze: true });
      return;
    }
    this.#set({ recipe });
    await this.#run(l10n.t("Analyzing"), "analyze", async ({ controller: { signal } }) => {
      const result = await this.ports.server.request("analyze", { uri: this.ports.uri, path, recipe }, signal);
      refuseIfAborted(signal);
      this.#set({ result });
    });
  }

  /** Analyses on other data. */
  async scoreOn(data: string): Promise<void> {
    await this.analyze({ ...this.#state.recipe, data });
  }

  /** Exact counts of the shown result at another sparsity. @throws PruneScopeError */
  async survival(sparsity: number, scope: Scope, signal: AbortSignal): Promise<ExactSurvival> {
    const { result } = this.#state;
    if (result === null || this.#path === null) {
      throw new PruneScopeError("bad-request", l10n.t("The model has not been analyzed yet."));
    }
    const params = { uri: this.ports.uri, path: this.#path, recipe: { ...result.recipe, sparsity, scope } };
    try {
      return await this.ports.server.request("survival", params, signal);
    } catch (error) {
      if (error instanceof ServerLost) return this.ports.server.request("survival", params, signal);
      if (isStale(error)) void this.load({ fresh: true });
      throw error;
    }
  }

  /** The slider came to rest. */
  rest(sparsity: number): void {
    this.#state = { ...this.#state, recipe: { ...this.#state.recipe, sparsity } };
    void this.looking.go();
  }

  /** Shows what a save is doing, and what it led to, beside the other work. @throws whatever `task` throws. */
  async beside<T>(label: string, job: JobName, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const work = this.#activities.begin(label, job);
    try {
      return await task(work.controller.signal);
    } catch (error) {
      if (isStale(error)) void this.load({ fresh: true });
      throw error;
    } finally {
      this.#activities.end(work);
    }
  }

  /** Shows a saved model and what is known of it. */
  saved(saved: ViewState["saved"]): void {
    this.#set({ saved });
  }

  cancel(): void {
    this.#activities.cancelAll();
  }

  async retry(): Promise<void> {
    this.#losses = 0;
    await this.load({ fresh: true, retry: true, analyze: true });
  }

  progress(job: JobName, progress: Progress): void {
    this.#activities.progress(job, progress);
  }

  /** The server is new: it is asked again, unless that is under way or the person has to decide. */
  serverBack(): void {
    if (this.#main !== null || this.#activities.failed) return;
    void this.load({ label: l10n.t("Reconnecting") });
  }

  changing(): void {
    this.#set({
      banner: l10n.t(
        "{0} is changing on disk. This is what it was; it is read again when it has stopped changing.",
        this.#state.title,
      ),
    });
  }

  settled(): void {
    void this.load({ fresh: true });
  }

  deleted(): void {
    this.#set({ banner: l10n.t("{0} is no longer on disk. This is what was last read.", this.#state.title) });
  }

  dispose(): void {
    this.#disposed = true;
    this.#main = null;
    this.looking.abort();
    this.#activities.cancelAll();
  }

  /** The session as what looks on sees it. */
  #watched(): Watched {
    const session = (): ModelSession => this;
    const { ports } = this;
    return {
      server: ports.server,
      activities: this.#activities,
      get state() {
        return session().#state;
      },
      get ref() {
        const path = session().#path;
        return path === null ? null : { uri: ports.uri, path };
      },
      get busy() {
        const now = session();
        return now.#disposed || now.#main !== null || now.#activities.failed;
      },
      get retrying() {
        return session().#retrying;
      },
      settings: () => ports.settings(),
      show: (change) => {
        this.#set(change);
      },
      note: (error) => {
        ports.note(error);
      },
      reload: () => void this.load({ fresh: true }),
    };
  }

  /** Runs the newest main work; an earlier one is cancelled and no longer listened to. */
  #run(label: string, job: JobName, task: (work: Work) => Promise<void>): Promise<void> {
    if (!this.#disposed) this.#running = this.#runNewest(label, job, task);
    return this.#running;
  }

  async #runNewest(label: string, job: JobName, task: (work: Work) => Promise<void>): Promise<void> {
    this.#main?.controller.abort();
    this.looking.abort();
    this.#activities.fail(null);
    const work = this.#activities.begin(label, job);
    this.#main = work;
    try {
      await task(work);
      this.#losses = 0;
    } catch (error) {
      if (this.#main === work) this.#fail(work, requestError(error), error);
    } finally {
      const newest = this.#main === work;
      if (newest) this.#main = null;
      if (newest) void this.looking.go();
      this.#activities.end(work);
    }
  }

  #fail(work: Work, error: PruneScopeError, cause: unknown): void {
    const { result, recipe, banner, model } = this.#state;
    if (work.controller.signal.aborted) {
      if (result === null) this.#activities.fail({ error: toErrorData(new Cancelled()), retry: true });
      // Back to what is shown.
      else this.#set({ recipe: { ...result.recipe, sparsity: recipe.sparsity } });
      return;
    }
    if (error instanceof ServerLost && ++this.#losses < patience) {
      void this.load({ label: l10n.t("Restarting the analysis server") });
      return;
    }
    if (isStale(error) && work.job === "analyze" && ++this.#losses < patience) {
      void this.load({ fresh: true });
      return;
    }
    this.ports.note(cause);
    if (model !== null && banner !== null) {
      this.#set({
        banner: l10n.t("{0} changed on disk and cannot be read now. This is what it was.", this.#state.title),
      });
    }
    this.#activities.fail({ error: toErrorData(error), retry: worthRetrying(error.code) });
  }

  #setModel(model: ModelView, change: Partial<Pick<ViewState, "recipe" | "result">>): void {
    const same = this.#state.model?.fingerprint === model.fingerprint && !this.#retrying;
    this.#set({ model, shapes: same ? this.#state.shapes : null, banner: null, ...change });
  }

  #set(change: Partial<Omit<ViewState, "activity">>): void {
    const after = { ...this.#state, ...change };
    this.#state = { ...after, insights: change.insights ?? keptInsights(this.#state, after) };
    if (!this.#disposed) this.ports.post({ type: "state", state: this.state });
  }
}
