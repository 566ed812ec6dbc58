/**
 * Criterion and scope: the toolkit's dropdowns where a host can analyse again, plain facts in a saved report.
 */
import { elementsOf, setText } from "../elements.js";
import type { CriterionView } from "../../../server/protocol/model.js";
import { scopes, type Scope } from "../../../server/protocol/recipe.js";
import type { ViewStore } from "../state/store.js";

const scopeTitles: Readonly<Record<Scope, string>> = { global: "Whole model", layer: "Each layer alike" };
const scopeMeanings: Readonly<Record<Scope, string>> = {
  global: "All weights are ranked together: layers with small scores lose more",
  layer: "Every layer loses the same share of its weights",
};

export interface RecipeChoiceView {
  readonly element: HTMLElement;
  show(): void;
}

/** Makes both choices. */
export function createRecipeChoice(document: Document, store: ViewStore): RecipeChoiceView {
  const h = elementsOf(document);
  const criterion = choice(document, "Criterion", store.live, (id) => {
    store.choose({ criterion: id });
  });
  const scope = choice(document, "Scope", store.live, (id) => {
    const known = scopes.find((candidate) => candidate === id);
    if (known !== undefined) store.choose({ scope: known });
  });
  return {
    element: h("div", { class: "choices" }, criterion.element, scope.element),
    show() {
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

/** What the view needs of the toolkit's dropdown. */
interface DropdownElement extends HTMLElement {
  value: string;
}

interface Option {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
  readonly disabled: boolean;
}

function criterionOption({ id, title, summary, unavailable }: CriterionView): Option {
  if (unavailable === undefined) return { id, title, meaning: summary, disabled: false };
  return { id, title: `${title}: ${unavailable}`, meaning: `${summary} Not available: ${unavailable}`, disabled: true };
}

function choice(
  document: Document,
  label: string,
  live: boolean,
  choose: (id: string) => void,
): { element: HTMLElement; show: (options: readonly Option[], chosen: string) => void } {
  const h = elementsOf(document);
  if (!live) {
    const value = h("span", { class: "choice-fixed" });
    return {
      element: h("div", { class: "choice" }, h("span", { class: "choice-label" }, label), value),
      show: (options, chosen) => {
        const option = options.find(({ id }) => id === chosen);
        setText(value, option?.title ?? chosen);
        value.title = option?.meaning ?? "";
      },
    };
  }
  const dropdown = h("vscode-dropdown", { "aria-label": label, class: "choice-dropdown" }) as DropdownElement;
  let built = "";
  dropdown.addEventListener("change", () => {
    if (dropdown.value !== "" && dropdown.dataset["chosen"] !== dropdown.value) choose(dropdown.value);
  });
  return {
    element: h(
      "div",
      { class: "choice" },
      h("span", { class: "choice-label", "aria-hidden": "true" }, label),
      dropdown,
    ),
    show: (options, chosen) => {
      const key = JSON.stringify(options);
      dropdown.dataset["chosen"] = chosen;
      dropdown.title = options.find(({ id }) => id === chosen)?.meaning ?? "";
      if (key !== built) {
        built = key;
        dropdown.replaceChildren(
          ...options.map(({ id, title, meaning, disabled }) =>
            h("vscode-option", { value: id, title: meaning, disabled, selected: id === chosen }, title),
          ),
        );
      }
      if (dropdown.value !== chosen) dropdown.value = chosen;
    },
  };
}
