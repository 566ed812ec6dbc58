/**
 * What the sections under the table share: a title with its buttons, what stands there while a part of the insights is
 * not known or cannot be, and a body that is built after what is due has been drawn, only when that part is another.
 */
import { elementsOf, setText } from "../elements.js";
import { describeError, type ErrorData } from "../../../server/protocol/errors.js";
import type { Insights } from "../../../server/protocol/view.js";
import { isError } from "../state/findings.js";
import type { Change, ViewStore } from "../state/store.js";

export interface Section {
  readonly element: HTMLElement;
  show(changes: ReadonlySet<Change>): void;
}

export type Found<K extends keyof Insights> = Exclude<Insights[K], ErrorData | null>;

export interface SectionOptions<K extends keyof Insights> {
  readonly part: K;
  readonly title: string;
  /** Buttons, which need a host. */
  readonly actions?: readonly HTMLElement[];
  /** What stands there while nothing is known and nobody works on it. */
  readonly waiting: string;
  /** Makes the body anew. */
  readonly build: (found: Found<K>) => readonly Node[];
  /** Follows the rest: pointer, selection, sparsity. The body may not be built yet. */
  readonly follow?: (changes: ReadonlySet<Change>) => void;
}

/** Makes a section; a saved report leaves out what it does not know. */
export function createSection<K extends keyof Insights>(
  document: Document,
  store: ViewStore,
  { part, title, actions = [], waiting, build, follow }: SectionOptions<K>,
): Section {
  const h = elementsOf(document);
  const heading = h("h2", { id: `insight-${part}` }, title);
  const state = h("p", { class: "insight-state", role: "status" });
  const body = h("div", { class: "insight-body" });
  const head = h("div", { class: "insight-head" }, heading);
  if (store.live && actions.length > 0) head.append(h("div", { class: "actions" }, ...actions));
  const element = h("section", { class: `insight insight-${part}`, "aria-labelledby": heading.id }, head, state, body);
  let built: { readonly found: Insights[K]; readonly survey: ViewStore["survey"] } | null = null;
  const renew = (): void => {
    const found: Insights[K] = store.view?.insights[part] ?? null;
    if (built?.found === found && built.survey === store.survey) return;
    built = { found, survey: store.survey };
    body.replaceChildren(...(found === null || isError(found) ? [] : build(found as Found<K>)));
    body.hidden = body.childElementCount === 0;
    follow?.(new Set(["state", "selection", "pointed"]));
  };
  return {
    element,
    show(changes) {
      if (changes.has("state") || changes.has("activity")) {
        const found = store.view?.insights[part] ?? null;
        element.hidden = (store.survey?.model.layers.length ?? 0) === 0 || (found === null && !store.live);
        element.dataset["known"] = found === null ? "no" : isError(found) ? "failed" : "yes";
        setText(state, found === null ? waiting : isError(found) ? `Not known: ${describeError(found)}` : "");
        state.hidden = state.textContent === "";
        if (!element.hidden) store.later(renew);
      }
      follow?.(changes);
    },
  };
}
