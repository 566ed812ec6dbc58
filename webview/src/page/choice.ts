/**
 * One choice out of a few: the toolkit's dropdown where a host can analyse again, a plain fact in a saved report.
 */
import { elementsOf, setText } from "../elements.js";

export interface Option {
  readonly id: string;
  readonly title: string;
  /** A sentence, shown under the title in the list. */
  readonly meaning: string;
  readonly disabled: boolean;
}

export interface Choice {
  readonly element: HTMLElement;
  show(options: readonly Option[], chosen: string): void;
}

/** What the view needs of the toolkit's dropdown. */
interface DropdownElement extends HTMLElement {
  value: string;
}

/** Makes the choice; `choose` gets the id of what the person picks. */
export function createChoice(document: Document, label: string, live: boolean, choose: (id: string) => void): Choice {
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
          // The sentence is drawn by the style sheet, so that the closed dropdown shows the title alone.
          ...options.map(({ id, title, meaning, disabled }) =>
            h(
              "vscode-option",
              {
                value: id,
                title: meaning,
                "data-meaning": meaning === "" ? undefined : meaning,
                disabled,
                selected: id === chosen,
              },
              title,
            ),
          ),
        );
      }
      if (dropdown.value !== chosen) dropdown.value = chosen;
    },
  };
}
