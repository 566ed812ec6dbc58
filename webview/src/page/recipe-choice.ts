/**
 * Criterion, scope and pattern, the choices that are always in view.
 */
import { elementsOf } from "../elements.js";
import type { CriterionView } from "../../../server/protocol/model.js";
import { scopes, type Scope } from "../../../server/protocol/recipe.js";
import type { ViewStore } from "../state/store.js";
import { createChoice, type Option } from "./choice.js";
import { createPatternChoice } from "./pattern-choice.js";

const scopeTitles: Readonly<Record<Scope, string>> = { global: "Whole model", layer: "Each layer alike" };
const scopeMeanings: Readonly<Record<Scope, string>> = {
  global: "All weights are ranked together: layers with small scores lose more.",
  layer: "Every layer loses the same share of its weights.",
};

export interface RecipeChoiceView {
  readonly element: HTMLElement;
  show(): void;
}

/** Makes the choices. */
export function createRecipeChoice(document: Document, store: ViewStore): RecipeChoiceView {
  const h = elementsOf(document);
  const criterion = createChoice(document, "Criterion", store.live, (id) => {
    store.choose({ criterion: id });
  });
  const scope = createChoice(document, "Scope", store.live, (id) => {
    const known = scopes.find((candidate) => candidate === id);
    if (known !== undefined) store.choose({ scope: known }, ["quota"]);
  });
  const pattern = createPatternChoice(document, store);
  return {
    element: h("div", { class: "choices" }, criterion.element, scope.element, pattern.element, pattern.permute),
    show() {
      pattern.show();
      const criteria = store.view?.model?.criteria ?? [];
      const { recipe } = store;
      criterion.show(criteria.map(criterionOption), recipe.criterion);
      scope.show(
        scopes.map((id) => ({ id, title: scopeTitles[id], meaning: scopeMeanings[id], disabled: false })),
        recipe.scope,
      );
    },
  };
}

function criterionOption({ id, title, summary, unavailable }: CriterionView): Option {
  const disabled = unavailable !== undefined;
  return { id, title, meaning: disabled ? `Not available: ${unavailable} ${summary}` : summary, disabled };
}
