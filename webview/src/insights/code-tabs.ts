/** Ready code for several frameworks, one tab each, with a button that copies what is shown. */
import { elementsOf, setAttribute, setText } from "../elements.js";

const titles: ReadonlyMap<string, string> = new Map([
  ["pytorch", "PyTorch"],
  ["keras", "Keras"],
  ["tfjs", "TensorFlow.js"],
  ["jax", "JAX"],
]);

/** Makes the tabs; arrow keys move between them. */
export function createCodeTabs(document: Document, code: Readonly<Record<string, string>>): HTMLElement {
  const h = elementsOf(document);
  const names = Object.keys(code);
  const panel = h("pre", { class: "code", role: "tabpanel", id: "code-panel", tabindex: 0 });
  const said = h("span", { class: "copied", role: "status" });
  const tabs = names.map((name, i) => {
    const tab = h(
      "button",
      { type: "button", role: "tab", class: "tab", id: `code-tab-${i}`, "aria-controls": panel.id },
      titles.get(name) ?? name,
    );
    tab.addEventListener("click", () => {
      show(i);
    });
    tab.addEventListener("keydown", (event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (step === 0) return;
      const next = (i + step + names.length) % names.length;
      show(next);
      tabs[next]?.focus();
      event.preventDefault();
    });
    return tab;
  });
  const show = (shown: number): void => {
    for (const [i, tab] of tabs.entries()) {
      setAttribute(tab, "aria-selected", String(i === shown));
      tab.tabIndex = i === shown ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `code-tab-${shown}`);
    setText(panel, code[names[shown] ?? ""] ?? "");
    setText(said, "");
  };
  const copy = h("button", { type: "button", class: "link copy" }, "Copy");
  copy.addEventListener("click", () => {
    void copyText(document, panel).then((words) => {
      setText(said, words);
    });
  });
  show(0);
  return h(
    "div",
    { class: "code-tabs" },
    h("div", { class: "code-head" }, h("div", { role: "tablist", "aria-label": "Framework" }, ...tabs), copy, said),
    panel,
  );
}

/** Copies, or where that is not allowed selects, the text of an element. @returns what happened, in words. */
async function copyText(document: Document, element: HTMLElement): Promise<string> {
  try {
    await document.defaultView?.navigator.clipboard.writeText(element.textContent);
    return "Copied.";
  } catch {
    document.getSelection()?.selectAllChildren(element);
    return "Selected: copy it with the keyboard.";
  }
}
