/**
 * Where the shown numbers come from: criterion and data, loss and mode of BatchNormalization, what the analysis has to
 * say about them, and, while another choice is being scored or has failed, which of the two they belong to.
 */
import { elementsOf, setText } from "../elements.js";
import type { ViewState } from "../../../server/protocol/view.js";
import type { ViewStore } from "../state/store.js";
import { recipeWords } from "../text/recipe.js";
import { score } from "../text/numbers.js";

export interface Provenance {
  readonly element: HTMLElement;
  show(): void;
}

const batchNormWords = { stored: "stored statistics", batch: "batch statistics" } as const;

/** Makes the lines; they are not there while there are no numbers. */
export function createProvenance(document: Document, store: ViewStore): Provenance {
  const h = elementsOf(document);
  const sentence = h("span");
  const back = h("button", { type: "button", class: "link provenance-back" }, "Go back to that choice");
  back.addEventListener("click", () => {
    store.keepShown();
  });
  const other = h("p", { class: "provenance-other", role: "status" }, sentence, " ", back);
  const facts = h("dl", { class: "facts" });
  const notes = h("ul", { class: "provenance-notes", tabindex: 0, "aria-label": "Notes on these scores" });
  const element = h(
    "section",
    { class: "provenance", "aria-label": "Where the scores come from" },
    other,
    facts,
    notes,
  );
  let shown = "";
  return {
    element,
    show() {
      const { view, shownRecipe } = store;
      const result = store.survey?.analysis?.result;
      element.hidden = view?.model == null || result === undefined || shownRecipe === null;
      if (view?.model == null || result === undefined || shownRecipe === null) return;
      const { model } = view;
      const by = recipeWords(shownRecipe, model);
      const wanted = recipeWords(store.recipe, model);
      other.hidden = store.fits || (wanted === by && !store.leftBehind);
      back.hidden = !store.leftBehind;
      const fate = store.leftBehind
        ? "could not be scored. The numbers are"
        : "is being scored. Until then the numbers are";
      setText(sentence, other.hidden ? "" : `${wanted} ${fate} by ${by}.`);
      const { loss, batchNorm } = result.report;
      const items: (readonly [string, string])[] = [["Scored by", by]];
      if (loss !== null) items.push(["Loss", score(loss)]);
      if (batchNorm !== null) items.push(["BatchNorm", batchNormWords[batchNorm]]);
      const sentences = resultNotes(view);
      // Who scored it stands in the terms too: by itself it is not worth a line.
      element.hidden = other.hidden && items.length === 1 && sentences.length === 0;
      const key = JSON.stringify([items, sentences]);
      if (key === shown) return;
      shown = key;
      facts.replaceChildren(...items.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text))));
      notes.replaceChildren(...sentences.map((text) => h("li", {}, text)));
      notes.hidden = sentences.length === 0;
    },
  };
}

/** What the analysis has to say beyond what is known of the model anyway, each sentence once. */
function resultNotes({ model, result }: ViewState): string[] {
  const known = new Set(model?.notes);
  return [...new Set(result?.report.notes)].filter((note) => !known.has(note));
}
