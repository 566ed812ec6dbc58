/**
 * The bar that stays in view: criterion, scope, save buttons, the terms of scoring, the slider, and under it how much is
 * kept and what the host is doing.
 */
import { elementsOf, setAttribute, setText } from "../elements.js";
import type { Change, ViewStore } from "../state/store.js";
import { integer, percent } from "../text/numbers.js";
import { createWorkLine } from "./activity.js";
import { createRecipeExtras } from "./recipe-extras.js";
import { createRecipeChoice } from "./recipe-choice.js";
import { createScoringTerms } from "./scoring-terms.js";
import { createSparsitySlider } from "./sparsity-slider.js";

export interface Controls {
  readonly element: HTMLElement;
  show(changes: ReadonlySet<Change>): void;
}

/** Makes the bar. */
export function createControls(document: Document, store: ViewStore): Controls {
  const h = elementsOf(document);
  const choice = createRecipeChoice(document, store);
  const terms = createScoringTerms(document, store);
  const extras = createRecipeExtras(document, store);
  const slider = createSparsitySlider(document, store);
  const work = createWorkLine(document, store);
  const kept = h("span", { class: "tally-kept" });
  const rest = h("span", { class: "tally-rest" });
  const tally = h("p", { class: "tally" }, kept, rest);
  const save = h("vscode-button", { class: "save", appearance: "primary" }, "Prune & Save");
  const saveAs = h("vscode-button", { class: "save-as", appearance: "secondary" }, "Save As…");
  let lastClick = -Infinity;
  const click = (as: boolean) => (event: Event) => {
    // The second click of a double click is no second wish.
    const again = event.timeStamp - lastClick < 500;
    lastClick = event.timeStamp;
    if (canSave(store) && !again) store.save(as);
  };
  save.addEventListener("click", click(false));
  saveAs.addEventListener("click", click(true));
  const actions = h("div", { class: "actions" }, save, saveAs);
  actions.hidden = !store.live;

  return {
    element: h(
      "section",
      { class: "controls", "aria-label": "Pruning" },
      h("div", { class: "controls-top" }, choice.element, actions),
      terms.element,
      extras.element,
      slider.element,
      h("div", { class: "controls-foot" }, tally, store.live ? work.element : slider.home),
    ),
    show(changes) {
      if (changes.has("state") || changes.has("recipe")) {
        choice.show();
        terms.show();
        extras.show();
      }
      slider.show(changes);
      if (store.view !== null && (changes.has("state") || changes.has("activity"))) work.show(store.view.activity);
      const disabled = !canSave(store);
      for (const button of [save, saveAs]) setAttribute(button, "disabled", disabled);
      if (changes.has("sparsity")) showTally();
    },
  };

  function showTally(): void {
    const { counts, survey } = store;
    if (counts === null || survey === null) {
      setText(kept, "");
      setText(rest, "");
      delete tally.dataset["kept"];
      return;
    }
    const { prunable, parameters } = survey.model;
    const whole = Math.round(counts.total);
    tally.dataset["kept"] = String(whole);
    tally.toggleAttribute("data-approximate", counts.approximate);
    setText(kept, `${counts.approximate ? "≈ " : ""}${integer(whole)} of ${integer(prunable)} weights kept`);
    const removed = parameters === 0 ? 0 : (prunable - whole) / parameters;
    setText(rest, store.notice ?? ` · ${percent(removed)} of all parameters removed`);
  }
}

/** A save needs a result for the recipe as it is, and scores that can be ranked. */
function canSave(store: ViewStore): boolean {
  const analysis = store.survey?.analysis;
  if (!store.live || analysis === null || analysis === undefined) return false;
  return store.fits && !store.blocked;
}
