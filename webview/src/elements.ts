/**
 * Makes DOM nodes out of text. Everything that a model says goes through here as text or as an attribute value; no
 * markup is ever parsed, and no style attribute is written (the CSP forbids it; geometry is set through CSSOM).
 */

/** A node, or text that becomes a text node. */
export type Child = Node | string;

/** Attribute values: `true` is an empty attribute, `false` and `undefined` leave it out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Makes one element of a fixed document. */
export interface ElementFactory {
  <K extends keyof HTMLElementTagNameMap>(
    tag: K,
    attributes?: Attributes,
    ...children: readonly Child[]
  ): HTMLElementTagNameMap[K];
  (tag: `vscode-${string}`, attributes?: Attributes, ...children: readonly Child[]): HTMLElement;
}

/** The factory of `document`: `h("p", { class: "note" }, "text")`. */
export function elementsOf(document: Document): ElementFactory {
  return (tag: string, attributes: Attributes = {}, ...children: readonly Child[]) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
    element.append(...children);
    return element;
  };
}

/** Sets, or with `false` and `undefined` removes, an attribute. */
export function setAttribute(element: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Sets the text of an element only when it changes, so that an unchanged number costs no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
