/** What the recipe does beside ranking weights in one shot, which a remedy may have brought, and the way back. */
import { elementsOf, setText } from "../elements.js";
import type { ViewStore } from "../state/store.js";
import { extraWords } from "../text/recipe.js";

export interface RecipeExtras {
  readonly element: HTMLElement;
  show(): void;
}

/** Makes the line; it is not there where there is nothing to tell. */
export function createRecipeExtras(document: Document, store: ViewStore): RecipeExtras {
  const h = elementsOf(document);
  const words = h("span");
  const undo = h("button", { type: "button", class: "link extras-undo", hidden: !store.live }, "Take back");
  undo.addEventListener("click", () => {
    store.choose({ floors: {} }, ["mask", "quota", "rounds", "eocInit", "stableResnet", "rescale"]);
  });
  const element = h("p", { class: "extras", hidden: true }, words, " ", undo);
  return {
    element,
    show() {
      const extras = extraWords(store.recipe);
      element.hidden = extras.length === 0;
      setText(words, `With ${extras.join(", ")}.`);
    },
  };
}
