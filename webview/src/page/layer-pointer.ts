/** The pointer on a figure of layers: the one below it is marked everywhere, and a click selects it. */
import type { ViewStore } from "../state/store.js";

/** @param layerAt index of the layer below the pointer; null or -1 where there is none. */
export function pointAtLayers(
  frame: HTMLElement,
  store: ViewStore,
  layerAt: (event: MouseEvent) => number | null,
): void {
  frame.addEventListener("pointermove", (event) => {
    store.point(layerAt(event) ?? -1);
  });
  frame.addEventListener("pointerleave", () => {
    store.point(-1);
  });
  frame.addEventListener("click", () => {
    store.toggleAt(store.pointed);
  });
}
