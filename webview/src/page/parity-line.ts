/**
 * One line on whether the numbers are about the person's model at all: where a format is lowered to our graph, both were
 * run on the same input. A difference is said loudly.
 */
import { elementsOf, setText } from "../elements.js";
import { describeError } from "../../../server/protocol/errors.js";
import { parityWords } from "../../../server/protocol/parity.js";
import { isError } from "../state/findings.js";
import type { ViewStore } from "../state/store.js";

export interface ParityLine {
  readonly element: HTMLElement;
  show(): void;
}

/** Makes the line; it is not there while nothing is known, which is always so for models that are not lowered. */
export function createParityLine(document: Document, store: ViewStore): ParityLine {
  const h = elementsOf(document);
  const element = h("p", { class: "parity", role: "status", hidden: true });
  return {
    element,
    show() {
      const found = store.view?.insights.parity ?? null;
      element.hidden = found === null;
      if (found === null) return;
      const failed = isError(found);
      const differs = failed && found.code === "parity";
      element.dataset["state"] = differs ? "differs" : failed || !found.proven ? "unknown" : "same";
      const missing = failed && !differs ? "Not compared with TensorFlow.js: " : "";
      setText(element, failed ? missing + describeError(found) : parityWords(found));
    },
  };
}
