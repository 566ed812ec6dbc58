/**
 * What stands on the page before anything is known of the model: what the host is doing, how far it is, and *Cancel*.
 */
import { elementsOf } from "../elements.js";
import type { Activity } from "../../../server/protocol/view.js";
import type { ViewStore } from "../state/store.js";
import { createWorkLine, type ActivityView } from "./activity.js";

/** Makes the panel. */
export function createLoading(document: Document, store: ViewStore): ActivityView {
  const h = elementsOf(document);
  const work = createWorkLine(document, store);
  const idle = h("p", { class: "loading-idle" }, "Nothing is loaded.");
  const element = h("section", { class: "loading", "aria-label": "Loading" }, work.element, idle);
  return {
    element,
    show(activity: Activity) {
      element.hidden = store.survey !== null || activity.kind === "failed";
      idle.hidden = activity.kind !== "idle";
      work.show(activity);
    },
  };
}
