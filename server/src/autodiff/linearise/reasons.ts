/** Why weights have no SynFlow score: what they feed is held constant, or has no linear form. */
import type { Value } from "../../graph/builder.js";
import type { Graph, Node } from "../../graph/graph.js";
import { dependencies } from "../../graph/traversal.js";

export class Reasons {
  readonly #held = new Map<Value, string>();
  readonly #lacking = new Map<Value, string>();
  readonly #consumers = new Map<Value, Node[]>();

  constructor(readonly graph: Graph) {
    for (const node of graph.nodes) {
      for (const name of dependencies(node)) {
        const list = this.#consumers.get(name);
        if (list === undefined) this.#consumers.set(name, [node]);
        else list.push(node);
      }
    }
  }

  /** `value` is held constant in the place that `why` names. */
  hold(value: Value, why: string): void {
    this.#held.set(value, why);
  }

  get heldValues(): readonly Value[] {
    return [...this.#held.keys()];
  }

  /** What is held constant and depends on a weight; null when nothing is. */
  held(weight: Value): string | null {
    return this.#first(weight, (value) => this.#held.get(value));
  }

  /** Not all of what `value` does is in the linear network. */
  lack(value: Value, why: string): void {
    this.#lacking.set(value, why);
  }

  /** Why operators have no linear form, each reason once. */
  get gaps(): readonly string[] {
    return [...new Set(this.#lacking.values())];
  }

  /** Why the scores of a weight would not be whole, though R depends on it; null when they are. */
  incomplete(weight: Value): string | null {
    return this.#first(weight, (value) => this.#lacking.get(value));
  }

  /** Why R does not depend on a weight. */
  absent(weight: Value): string {
    const held = this.held(weight);
    if (held !== null) return `it only feeds ${held}`;
    return "no output depends on it on SynFlow's linear path";
  }

  /** The first that `find` gives along the way from `start` to the outputs. */
  #first(start: Value, find: (value: Value) => string | undefined): string | null {
    const seen = new Set([start]);
    for (const value of seen) {
      const found = find(value);
      if (found !== undefined) return found;
      for (const node of this.#consumers.get(value) ?? []) for (const output of node.outputs) seen.add(output);
    }
    return null;
  }
}
