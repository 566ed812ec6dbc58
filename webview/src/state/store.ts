/**
 * The view's state: what the host sent, what the person chose, and the counts at the slider's sparsity. Changes are
 * gathered and announced once a frame, so that any number of slider events costs one update.
 */
import type { CriterionView, LayerId } from "../../../server/protocol/model.js";
import { defaultRecipe, type NofM, type Recipe, type Scope, without } from "../../../server/protocol/recipe.js";
import type { ToView, ViewState } from "../../../server/protocol/view.js";
import type { HostPort } from "../host/host-port.js";
import {
  choiceOf,
  choicesFor,
  readChoices,
  sameChoice,
  withChoice,
  type Choices,
  type OpenField,
  type RecipeChoice,
} from "./choices.js";
import { Chores } from "./chores.js";
import type { Clock } from "./clock.js";
import { ExactQuestions } from "./exact-questions.js";
import { findingsOf, type Findings } from "./findings.js";
import { keepSame } from "./keep-same.js";
import { LiveCounts } from "./live-counts.js";
import { surveyOf, type Survey } from "./survey.js";

/** What changed since the last announcement; `state` stands for everything that the host sends. */
export type Change = "state" | "activity" | "recipe" | "sparsity" | "order" | "selection" | "reveal" | "pointed";

/** How long the slider has to stand still to be at rest, in milliseconds. */
export const restDelay = 150;
/** How often a question is asked again that was cancelled, because another view of the model asked one. */
const mostRepeats = 3;

export class ViewStore {
  view: ViewState | null = null;
  survey: Survey | null = null;
  counts: LiveCounts | null = null;
  /** What is known beside scores and mask; null without a model. */
  findings: Findings | null = null;
  choices: Choices;
  /** Layer under the pointer or the keyboard's cursor of any figure, or -1. */
  pointed = -1;
  /** Why exact counts could not be had, as a sentence. */
  notice: string | null = null;
  /** Whether the numbers are final: exact, or as good as they get without a host. */
  rest = false;

  private readonly questions: ExactQuestions;
  private readonly chores: Chores;
  private readonly listeners: ((changes: ReadonlySet<Change>) => void)[] = [];
  private changes = new Set<Change>();
  private pendingRecipe: RecipeChoice | null = null;
  private restored = false;
  private moving: (() => void) | null = null;
  private repeats = 0;
  private postedSparsity: number | null = null;
  /** Sparsity to go back to when a pattern is given up. */
  private sparsityBefore = defaultRecipe.sparsity;
  private stopRemembering: (() => void) | null = null;

  constructor(
    private readonly host: HostPort,
    private readonly clock: Clock,
  ) {
    this.questions = new ExactQuestions(host);
    this.chores = new Chores(clock);
    this.choices = readChoices(host.recall());
  }

  /** Whether there is a host that saves, excludes and answers. */
  get live(): boolean {
    return this.host.live;
  }

  /** The recipe as the person has it now, the newest choices included. */
  get recipe(): Recipe {
    const recipe = this.view?.recipe ?? defaultRecipe;
    return { ...withChoice(recipe, this.pendingRecipe ?? recipe), sparsity: this.sparsity };
  }

  /** The recipe that the shown numbers belong to; null while there are none. */
  get shownRecipe(): Recipe | null {
    return this.survey?.analysis?.result.recipe ?? null;
  }

  get sparsity(): number {
    return this.choices.sparsity ?? this.view?.recipe.sparsity ?? defaultRecipe.sparsity;
  }

  /** Whether the result at hand was computed for the recipe as it is now. */
  get fits(): boolean {
    const analysis = this.survey?.analysis;
    return analysis !== null && analysis !== undefined && sameChoice(analysis.result.recipe, this.recipe);
  }

  /** Scope of the shown numbers: the chosen one, which needs no new scores, unless what was chosen failed. */
  get scope(): Scope {
    return this.leftBehind ? (this.shownRecipe?.scope ?? this.recipe.scope) : this.recipe.scope;
  }

  /** Whether the result is that of another recipe than the one asked for, and no other is on its way: that failed. */
  get leftBehind(): boolean {
    return this.survey?.analysis != null && this.view?.activity.kind === "failed" && !this.fits;
  }

  /** Share of each layer's weights that is kept and on a path; null while that is not known of what is shown. */
  get effective(): Float64Array | null {
    const { counts, findings } = this;
    const fresh = counts !== null && !counts.approximate && findings?.collapse?.sparsity === counts.sparsity;
    return fresh && this.fits ? findings.effective : null;
  }

  /** What the model's list says of a criterion. */
  criterion(id: string): CriterionView | undefined {
    return this.view?.model?.criteria.find((criterion) => criterion.id === id);
  }

  /** Starts listening to the host and asks for the whole state. */
  start(): void {
    this.host.listen((message) => {
      this.receive(message);
    });
    this.host.post({ type: "ready" });
  }

  /** Calls `listener` once a frame with all that changed. */
  subscribe(listener: (changes: ReadonlySet<Change>) => void): void {
    this.listeners.push(listener);
  }

  /** Whether scores that are no numbers keep everything from being ranked; then nothing moves with the slider. */
  get blocked(): boolean {
    return (this.survey?.analysis?.blocking.length ?? 0) > 0;
  }

  /** The slider moved: everything follows in the next frame. */
  slide(sparsity: number): void {
    this.keep({ sparsity });
    this.rest = false;
    this.notice = null;
    this.repeats = 0;
    this.questions.forget();
    this.settleLater();
    this.mark("sparsity");
  }

  /** The slider came to rest. */
  settle(): void {
    this.moving?.();
    this.moving = null;
    if (this.host.live && this.choices.sparsity !== null && this.postedSparsity !== this.sparsity) {
      this.postedSparsity = this.sparsity;
      this.host.post({ type: "sparsity", sparsity: this.sparsity });
    }
    this.seekExact();
    this.mark("sparsity");
  }

  /** Changes what decides the scores, leaves some of it open again, and lets the host analyse. */
  choose(change: Partial<RecipeChoice>, open: readonly OpenField[] = []): void {
    this.apply({ ...without(this.recipe, open), ...change });
  }

  /** Takes a pattern, at first alone, or goes back to pruning without one at the sparsity that it was left at. */
  choosePattern(pattern: NofM | null): void {
    if (this.recipe.pattern === undefined) this.sparsityBefore = this.sparsity;
    const sparsity = pattern === null ? this.sparsityBefore : 0;
    if (sparsity !== this.sparsity) this.slide(sparsity);
    if (pattern === null) this.choose({}, ["pattern", "permute"]);
    else this.choose({ pattern });
  }

  /** Goes back to the recipe of what is shown. */
  keepShown(): void {
    const { shownRecipe } = this;
    if (shownRecipe !== null) this.apply(shownRecipe);
  }

  /** Lets the person pick a data file, or a folder. */
  chooseData(folder: boolean): void {
    this.host.post({ type: "chooseData", folder });
  }

  /** Takes over all that decides the scores, as chosen or as a remedy has it; the sparsity stays the slider's. */
  apply(choice: RecipeChoice): void {
    this.pendingRecipe = choiceOf(choice);
    this.keep({ recipe: this.pendingRecipe });
    this.questions.forget();
    this.rest = false;
    this.host.post({ type: "recipe", recipe: this.recipe });
    this.mark("recipe", "sparsity");
  }

  /** Leaves a layer dense, or no longer. */
  exclude(id: LayerId, excluded: boolean): void {
    const others = this.recipe.exclude.filter((other) => other !== id);
    this.choose({ exclude: excluded ? [...others, id] : others });
  }

  select(id: LayerId | null): void {
    if (this.choices.selected === id) return;
    this.keep({ selected: id });
    this.mark("selection");
  }

  /** Selects a layer, or lets go of it where it is the selected one. */
  toggle(id: LayerId): void {
    this.select(this.choices.selected === id ? null : id);
  }

  /** The same by the layer's index; nothing happens where there is none. */
  toggleAt(layer: number): void {
    const id = this.survey?.model.layers[layer]?.id;
    if (id !== undefined) this.toggle(id);
  }

  /** A figure's pointer or cursor is on a layer, or with -1 on none; the other figures mark it too. */
  point(layer: number): void {
    if (this.pointed === layer) return;
    this.pointed = layer;
    this.mark("pointed");
  }

  /** The layer that figures mark: the one that is pointed at, else the selected one, or -1. */
  get marked(): number {
    return this.pointed >= 0 ? this.pointed : (this.survey?.indexOf.get(this.choices.selected ?? "") ?? -1);
  }

  /** Does `chore` when what is due has been drawn. */
  later(chore: () => void): void {
    this.chores.add(chore);
  }

  /** Changes how the table is sorted and filtered, or remembers where it is scrolled to. */
  arrange(change: Partial<Pick<Choices, "sort" | "filter" | "scrollTop">>): void {
    this.keep(change);
    if (change.sort !== undefined || change.filter !== undefined) this.mark("order");
  }

  /** Asks for an analysis with the recipe as it is, where the settings said not to start one. */
  analyze(): void {
    this.choose({});
  }

  /** Measures conditioning and propagation; with two runs or more also how stable the mask is. */
  measure(stabilityRuns: number): void {
    this.host.post({ type: "measure", stabilityRuns });
  }

  /** Asks what would help, within so many seconds. */
  seekRemedies(budget: number): void {
    this.host.post({ type: "remedies", budget });
  }

  save(as: boolean): void {
    this.host.post({ type: "save", recipe: this.recipe, as });
  }

  cancel(): void {
    this.host.post({ type: "cancel" });
  }

  retry(): void {
    this.host.post({ type: "retry" });
  }

  /** Opens the file itself as text. */
  openText(): void {
    this.host.post({ type: "openText" });
  }

  private receive(message: ToView): void {
    switch (message.type) {
      case "state":
        this.takeState(message.state);
        break;
      case "activity":
        if (this.view === null) return;
        this.view = { ...this.view, activity: message.activity };
        // Work that ended without bringing the recipe that was asked for was cancelled. Where it failed the choice
        // stays, so that what was wrong with it can be changed.
        if (message.activity.kind === "idle" && this.pendingRecipe !== null) this.giveUpRecipe();
        else if (this.leftBehind) {
          this.seekExact();
          this.mark("sparsity");
        }
        this.mark("activity");
        break;
      case "reveal":
        if (this.survey?.indexOf.has(message.layer) !== true) return;
        this.keep({ selected: message.layer, filter: "" });
        this.mark("selection", "order", "reveal");
        break;
      case "reply": {
        const answer = this.questions.accept(message);
        if (answer === null || this.counts === null) return;
        if (!("error" in answer)) this.counts.settle(answer);
        else if (answer.error.code !== "cancelled") this.notice = answer.error.message;
        else if (this.repeats++ < mostRepeats) {
          this.settleLater();
          return;
        }
        this.rest = true;
        this.mark("sparsity");
      }
    }
  }

  private takeState(state: ViewState): void {
    const old = this.survey?.analysis?.result ?? null;
    this.view = this.view === null ? state : keepSame(this.view, state);
    const { model, result, insights } = this.view;
    if (this.pendingRecipe !== null && sameChoice(state.recipe, this.pendingRecipe)) this.pendingRecipe = null;
    if (model === null) {
      this.survey = this.counts = null;
    } else if (this.survey?.model !== model || old !== result) {
      this.choices = choicesFor(this.choices, model.path);
      this.survey = surveyOf(model, result);
      const analysis = this.survey.analysis;
      this.counts = analysis === null ? null : new LiveCounts(this.survey, analysis);
      this.questions.forget();
    }
    if (this.survey === null) this.findings = null;
    else if (this.findings?.survey !== this.survey || this.findings.insights !== insights) {
      this.findings = findingsOf(this.survey, insights);
    }
    // What the host did by itself (data that was picked, a cancelled recipe) is the newest choice.
    if (this.restored && this.pendingRecipe === null && this.choices.recipe !== null) {
      this.keep({ recipe: choiceOf(state.recipe) });
    }
    if (model !== null) this.restoreRecipe(state.recipe);
    if (this.moving === null) this.seekExact();
    this.mark("state", "sparsity");
  }

  /**
   * After a reload the host starts from its settings again: what was chosen here before is asked for once more. A host
   * that has moved on meanwhile, because another view of the model changed its recipe, keeps what it has.
   */
  private restoreRecipe(hosts: Recipe): void {
    if (this.restored) return;
    this.restored = true;
    const { recipe: chosen, hostRecipe: first } = this.choices;
    if (first === null) this.keep({ hostRecipe: choiceOf(hosts) });
    else if (this.host.live && chosen !== null && sameChoice(first, hosts) && !sameChoice(chosen, hosts)) {
      const has = (id: LayerId): boolean => this.survey?.indexOf.has(id) === true;
      const floors = Object.fromEntries(Object.entries(chosen.floors).filter(([id]) => has(id)));
      this.apply({ ...chosen, exclude: chosen.exclude.filter(has), floors });
    }
  }

  private giveUpRecipe(): void {
    this.pendingRecipe = null;
    this.keep({ recipe: this.view === null ? null : choiceOf(this.view.recipe) });
    this.seekExact();
    this.mark("recipe", "sparsity");
  }

  private settleLater(): void {
    this.moving?.();
    this.moving = this.clock.after(restDelay, () => {
      this.settle();
    });
  }

  /** Makes the counts exact where that is possible without asking, and asks the host for the rest. */
  private seekExact(): void {
    const { counts, survey } = this;
    const result = survey?.analysis?.result;
    if (counts === null || result === undefined) {
      this.rest = false;
      return;
    }
    const { sparsity, scope } = this;
    const { report } = result;
    const final = this.fits || this.leftBehind;
    if (this.blocked) {
      if (!final) counts.settleFromReport();
      this.rest = final || !this.host.live;
      return;
    }
    const settled = !counts.approximate && counts.sparsity === sparsity;
    const reported = sparsity === report.sparsity && scope === report.scope;
    if (final && reported && !settled) counts.settleFromReport();
    else if (!final || !settled) counts.interpolate(sparsity, scope);
    this.rest = !this.host.live || (final && !counts.approximate);
    if (!this.host.live || !final || this.questions.pending) return;
    if (counts.approximate || counts.threshold === undefined) {
      this.questions.ask(result.resultId, sparsity, scope);
    }
  }

  private keep(change: Partial<Choices>): void {
    this.choices = { ...this.choices, ...change };
    this.stopRemembering ??= this.clock.after(100, () => {
      this.stopRemembering = null;
      this.host.remember(this.choices);
    });
  }

  private mark(...changes: Change[]): void {
    if (this.changes.size === 0) {
      this.clock.frame(() => {
        this.announce();
      });
    }
    for (const change of changes) this.changes.add(change);
  }

  private announce(): void {
    const changes = this.changes;
    this.changes = new Set();
    if (changes.has("sparsity") && this.counts !== null && !this.rest && !this.blocked && !this.questions.pending) {
      if (this.counts.sparsity !== this.sparsity || !this.fits) this.counts.interpolate(this.sparsity, this.scope);
    }
    if (changes.has("sparsity") && this.effective !== null) this.counts?.worsen(this.findings?.collapse?.risks ?? []);
    for (const listener of this.listeners) listener(changes);
  }
}
