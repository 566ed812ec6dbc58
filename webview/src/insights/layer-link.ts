/** The name of a layer as a button that selects it, wherever a sentence or a table speaks of one. */
import { elementsOf } from "../elements.js";
import type { LayerId } from "../../../server/protocol/model.js";
import type { ViewStore } from "../state/store.js";
import { layerLabel, shorten } from "../text/names.js";

/** What a layer is called, shortened; its id where the model does not have it. */
export function layerName(store: ViewStore, id: LayerId, most = 40): string {
  const layer = store.survey?.model.layers[store.survey.indexOf.get(id) ?? -1];
  return shorten(layer === undefined ? id : layerLabel(layer), most);
}

/** Makes the button; figures mark the layer while the pointer or the focus is on it. */
export function layerLink(document: Document, store: ViewStore, id: LayerId, most = 40): HTMLElement {
  const h = elementsOf(document);
  const link = h("button", { type: "button", class: "link layer-link", title: id }, layerName(store, id, most));
  link.addEventListener("click", () => {
    store.toggle(id);
  });
  const point = (on: boolean) => () => {
    store.point(on ? (store.survey?.indexOf.get(id) ?? -1) : -1);
  };
  link.addEventListener("pointerenter", point(true));
  link.addEventListener("pointerleave", point(false));
  link.addEventListener("focus", point(true));
  link.addEventListener("blur", point(false));
  return link;
}
