/**
 * Shows the headline sentence and, beside it for those who do not see it move, speaks it once the slider rests.
 */
import { elementsOf, setText } from "../elements.js";
import { countRisks, headline, type RiskCounts } from "../state/headline.js";
import type { ViewStore } from "../state/store.js";

export interface HeadlineLine {
  readonly element: HTMLElement;
  show(): void;
}

/** What stands there before there are numbers, by what the host is doing. */
const waitingWords = {
  none: "",
  working: "The layers are listed below; their statistics are being computed.",
  idle: "The layers are listed below; they have not been analyzed yet.",
  failed: "",
} as const;

/** Makes the line. */
export function createHeadlineLine(document: Document, store: ViewStore): HeadlineLine {
  const h = elementsOf(document);
  const line = h("p", { class: "headline" });
  const spoken = h("p", { class: "unseen", role: "status" });
  const excludeAll = h("vscode-button", { class: "exclude-blocking", appearance: "secondary" }, "Exclude them");
  excludeAll.addEventListener("click", () => {
    const { survey } = store;
    const ids = survey?.analysis?.blocking.map((l) => survey.model.layers[l]!.id) ?? [];
    store.choose({ exclude: [...new Set([...store.recipe.exclude, ...ids])] });
  });
  const analyze = h("vscode-button", { class: "analyze" }, "Analyze");
  analyze.addEventListener("click", () => {
    store.analyze();
  });
  const risks: RiskCounts = { low: 0, high: 0, collapsed: 0, noSignal: 0 };
  let shown = "";
  return {
    element: h("div", { class: "headline-frame" }, line, excludeAll, analyze, spoken),
    show() {
      const { survey, counts } = store;
      const analysis = survey?.analysis;
      if (survey === null || counts === null || analysis === null || analysis === undefined) {
        const kind = survey === null ? "none" : (store.view?.activity.kind ?? "idle");
        const waiting = waitingWords[kind];
        if (shown !== waiting) line.textContent = shown = waiting;
        delete line.dataset["state"];
        excludeAll.hidden = true;
        analyze.hidden = kind !== "idle" || !store.live;
        return;
      }
      const pieces = headline(survey, analysis, counts, countRisks(counts, risks));
      const text = pieces.map((piece) => piece.text).join("");
      if (text !== shown) {
        shown = text;
        line.replaceChildren(...pieces.map((piece) => (piece.name ? h("code", {}, piece.text) : piece.text)));
      }
      if (store.rest) setText(spoken, text);
      line.dataset["state"] = analysis.blocking.length > 0 ? "blocked" : risks.collapsed > 0 ? "collapsed" : "";
      analyze.hidden = true;
      excludeAll.hidden = analysis.blocking.length === 0 || !store.live;
      setText(excludeAll, analysis.blocking.length === 1 ? "Exclude it" : "Exclude them");
    },
  };
}
