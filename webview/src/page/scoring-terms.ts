/**
 * Under which terms weights are scored: one line that says it, and behind it what can be changed: data, number of
 * samples, loss and the mode of BatchNormalization where the criterion looks at samples, and the seed.
 */
import { elementsOf, setText, type ElementFactory } from "../elements.js";
import type { ModelView } from "../../../server/protocol/model.js";
import { maxBatch, type BatchNormMode, type Recipe } from "../../../server/protocol/recipe.js";
import type { ViewStore } from "../state/store.js";
import { batchNormTitles, dataWords, recipeWords } from "../text/recipe.js";
import { createChoice, type Option } from "./choice.js";

export interface ScoringTerms {
  readonly element: HTMLElement;
  show(): void;
}

/** What synthetic data is good for. */
const syntheticWords =
  "Synthetic: seeded random inputs. The scores are then a statement about the architecture, not about your task.";

/** Value of the choice that nobody made. */
const automatic = "auto";

const batchNormMeanings: Readonly<Record<BatchNormMode, string>> = {
  auto: "Batch statistics for a freshly initialised model, else the stored ones.",
  stored: "The model as it is: normalisation is a fixed affine map.",
  batch: "As in training, differentiated through; it needs 32 samples or more and a free batch axis.",
};

/** Makes the line; in a saved report it cannot be opened. */
export function createScoringTerms(document: Document, store: ViewStore): ScoringTerms {
  const h = elementsOf(document);
  const words = h("span", { class: "terms-words" });
  const meaning = h("p", { class: "terms-meaning" });
  if (!store.live) {
    return {
      element: h("div", { class: "terms" }, words, meaning),
      show: () => {
        withModel(store, (model, recipe) => {
          setText(words, recipeWords(recipe, model));
          setText(meaning, store.criterion(recipe.criterion)?.summary ?? "");
        });
      },
    };
  }

  const data = h("span", { class: "terms-data" });
  const button = (className: string, text: string, click: () => void): HTMLElement => {
    const made = h("vscode-button", { appearance: "secondary", class: className }, text);
    made.addEventListener("click", click);
    return made;
  };
  const file = button("data-file", "Choose File…", () => {
    store.chooseData(false);
  });
  const folder = button("data-folder", "Choose Folder…", () => {
    store.chooseData(true);
  });
  const clear = button("data-clear", "Use Synthetic Data", () => {
    store.choose({}, ["data"]);
  });
  const dataField = h(
    "div",
    { class: "terms-field terms-field-data", role: "group", "aria-label": "Data" },
    h("span", { class: "choice-label", "aria-hidden": "true" }, "Data"),
    data,
    h("span", { class: "actions" }, file, folder, clear),
  );
  const samples = numberField(h, "Samples", "batch", 1, maxBatch, (batch) => {
    store.choose({ batch });
  });
  const seed = numberField(h, "Seed", "seed", 0, 0xffffffff, (value) => {
    store.choose({ seed: value });
  });
  const loss = createChoice(document, "Loss", true, (id) => {
    if (id === automatic) store.choose({}, ["loss"]);
    else store.choose({ loss: id });
  });
  const batchNorm = createChoice(document, "BatchNorm", true, (id) => {
    const known = modes.find((mode) => mode === id);
    if (known !== undefined) store.choose({ batchNorm: known });
  });
  const element = h(
    "details",
    { class: "terms" },
    h("summary", {}, words, h("span", { class: "terms-change" }, "change")),
    h(
      "div",
      { class: "terms-body" },
      meaning,
      dataField,
      h("div", { class: "terms-fields" }, samples.element, loss.element, batchNorm.element, seed.element),
    ),
  );
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !element.open) return;
    element.open = false;
    element.querySelector("summary")?.focus();
  });
  return {
    element,
    show: () => {
      withModel(store, (model, recipe) => {
        const criterion = store.criterion(recipe.criterion);
        const needsData = criterion?.needsData === true;
        setText(words, recipeWords(recipe, model));
        setText(meaning, criterion?.summary ?? "");
        dataField.hidden = samples.element.hidden = loss.element.hidden = !needsData;
        batchNorm.element.hidden = !needsData || !model.hasBatchNorm;
        setText(data, recipe.data === undefined ? syntheticWords : dataWords(recipe.data));
        data.title = recipe.data ?? "";
        clear.hidden = recipe.data === undefined;
        samples.show(recipe.batch);
        seed.show(recipe.seed);
        loss.show(lossOptions(model), recipe.loss ?? automatic);
        batchNorm.show(modes.map(batchNormOption), recipe.batchNorm);
      });
    },
  };
}

const modes: readonly BatchNormMode[] = ["auto", "stored", "batch"];

function withModel(store: ViewStore, show: (model: ModelView, recipe: Recipe) => void): void {
  const model = store.view?.model;
  if (model != null) show(model, store.recipe);
}

function lossOptions({ losses }: ModelView): Option[] {
  const auto = { id: automatic, title: "Automatic", meaning: "Chosen from the outputs and the data.", disabled: false };
  return [auto, ...losses.map(({ id, title }) => ({ id, title: sentence(title), meaning: "", disabled: false }))];
}

function batchNormOption(mode: BatchNormMode): Option {
  return { id: mode, title: sentence(batchNormTitles[mode]), meaning: batchNormMeanings[mode], disabled: false };
}

function sentence(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** A field for a whole number that tells of a new one when it is entered, and takes back what is none. */
function numberField(
  h: ElementFactory,
  label: string,
  name: string,
  least: number,
  most: number,
  choose: (value: number) => void,
): { readonly element: HTMLElement; show: (value: number) => void } {
  const input = h("input", {
    type: "number",
    class: "number",
    id: `terms-${name}`,
    min: least,
    max: most,
    step: 1,
    autocomplete: "off",
  });
  let shown = least;
  input.addEventListener("change", () => {
    const value = input.valueAsNumber;
    if (!Number.isInteger(value) || value < least || value > most) input.value = String(shown);
    else if (value !== shown) choose(value);
  });
  return {
    element: h("div", { class: "choice" }, h("label", { class: "choice-label", for: input.id }, label), input),
    show: (value) => {
      if (value === shown && input.value !== "") return;
      shown = value;
      input.value = String(value);
    },
  };
}
