/** Sentences and names in lists, long ones folded behind a line. */
import { elementsOf, type Child } from "../elements.js";
import { integer } from "../text/numbers.js";

/** Most entries of a folded list before the rest is only counted. */
const listed = 200;

/** A list behind a line that opens it. */
export function folded(document: Document, summary: string, items: readonly Child[]): HTMLElement {
  const h = elementsOf(document);
  const entries = items.slice(0, listed).map((item) => h("li", {}, item));
  if (items.length > listed) entries.push(h("li", {}, `and ${integer(items.length - listed)} more`));
  return h(
    "details",
    { class: "disclosure fold" },
    h("summary", {}, summary),
    h("ul", { tabindex: 0, "aria-label": summary }, ...entries),
  );
}

/** Sentences below everything else, each once; nothing where there are none. */
export function notes(document: Document, sentences: readonly string[]): readonly HTMLElement[] {
  const h = elementsOf(document);
  const once = [...new Set(sentences)];
  return once.length === 0 ? [] : [h("ul", { class: "insight-notes" }, ...once.map((text) => h("li", {}, text)))];
}

/** Terms and values in a line. */
export function facts(document: Document, items: readonly (readonly [string, Child])[]): HTMLElement {
  const h = elementsOf(document);
  return h(
    "dl",
    { class: "facts" },
    ...items.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
  );
}
