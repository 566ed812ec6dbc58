/** Calls `draw` whenever the size of an element changes; never in a document without layout. */
export function onResize(element: Element, draw: () => void): void {
  const { defaultView } = element.ownerDocument;
  if (defaultView !== null && "ResizeObserver" in defaultView) new ResizeObserver(draw).observe(element);
}
