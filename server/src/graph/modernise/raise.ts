/** What raises one operator to a newer operator set: the rows of the table, and what a row has at hand. */
import type { GraphBuilder, Value } from "../builder.js";
import type { Attribute, Constant, Node } from "../graph.js";

/** Where a node is raised. */
export interface Site {
  /** Takes the nodes that come before the raised one. */
  readonly b: GraphBuilder;
  /** The constant that a name stands for; null when the value is computed. */
  readonly constant: (name: string) => Constant | null;
  /** Number of axes of a value; null when it is not known. */
  readonly rank: (name: string) => number | null;
  /** A float scalar of the element type that `like` has. */
  readonly scalar: (value: number, like: Value) => Value;
}

/** One change of an operator. */
export interface Raise {
  readonly op: string;
  /** The operator set that brought the change: nodes of older ones are raised. */
  readonly opset: number;
  /** The node that takes this one's place, with its outputs; what it needs before it is added to the site's builder. */
  readonly raise: (node: Node, site: Site) => Node;
}

/** `node` with other inputs, and without the attributes that became inputs. */
export function restated(node: Node, inputs: readonly string[], gone: readonly string[]): Node {
  const attributes = new Map(node.attributes);
  for (const name of gone) attributes.delete(name);
  let used = inputs.length;
  while (used > 0 && inputs[used - 1] === "") used--;
  return { ...node, inputs: inputs.slice(0, used), attributes };
}

/** `node` with one attribute set. */
export function withAttribute(node: Node, name: string, attribute: Attribute): Node {
  return { ...node, attributes: new Map([...node.attributes, [name, attribute]]) };
}

export const textAttribute = (text: string): Attribute => ({ kind: "string", value: new TextEncoder().encode(text) });

/** A text attribute of a node; `fallback` when it is absent. */
export function text(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "string" ? new TextDecoder().decode(attribute.value) : fallback;
}

/** A float attribute of a node; `fallback` when it is absent. */
export function float(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "float" ? attribute.value : fallback;
}
