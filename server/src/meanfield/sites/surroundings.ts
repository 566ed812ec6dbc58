/** The graphs of a model as ways forward: readers of a value, into branches and out of them, and whether weights follow. */
import type { Value } from "../../graph/builder.js";
import { type Graph, type Node, operatorLabel, subgraphsOf } from "../../graph/graph.js";
import { type Links, linksOf } from "../../graph/links.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { dependencies } from "../../graph/traversal.js";

/** A value of one of the model's graphs. */
export interface Place {
  readonly graph: Graph;
  readonly value: Value;
}

/** They look at shapes only. */
const shapes: ReadonlySet<string> = new Set(["Shape", "Size"]);

export class Surroundings {
  readonly #links = new Map<Graph, Links>();
  /** The node that each graph below the main one is inside of. */
  readonly #owners = new Map<Graph, Node>();
  /** Values of a graph from which a weighted layer is reached. */
  readonly #leading = new Map<Graph, Set<Value>>();

  constructor(main: Graph, weights: readonly PrunableWeight[]) {
    this.#visit(main, new Set(weights.flatMap(({ uses }) => uses.map(({ node }) => node))), false);
  }

  links(graph: Graph): Links {
    let links = this.#links.get(graph);
    if (links === undefined) this.#links.set(graph, (links = linksOf(graph)));
    return links;
  }

  /** Whether a weighted layer comes after the value. */
  leadsToWeights({ graph, value }: Place): boolean {
    return this.#leading.get(graph)?.has(value) === true;
  }

  /** Nodes of the value's own graph that read its elements. */
  readers({ graph, value }: Place): readonly Node[] {
    return this.links(graph)
      .consumers(value)
      .filter((node) => !shapes.has(operatorLabel(node)));
  }

  /** Where an output of a branch comes out; null for outputs of the main graph, and of bodies of loops. */
  outside({ graph, value }: Place): Place | null {
    const owner = this.#owners.get(graph);
    if (owner?.op !== "If" || graph.parent === null) return null;
    const output = owner.outputs[graph.outputs.findIndex(({ name }) => name === value)];
    return output === undefined || output === "" ? null : { graph: graph.parent, value: output };
  }

  /** The value in the branches of an If that read it. */
  branches(node: Node, value: Value): readonly Place[] {
    if (node.op !== "If") return [];
    return [...subgraphsOf(node)]
      .map((graph) => ({ graph, value }))
      .filter((place) => this.readers(place).length > 0 || this.links(place.graph).isOutput(value));
  }

  /** Marks values from the end to the start. @returns whether a weighted layer is inside. */
  #visit(graph: Graph, users: ReadonlySet<Node>, outputsLead: boolean): boolean {
    const leading = new Set<Value>(outputsLead ? graph.outputs.map(({ name }) => name) : []);
    this.#leading.set(graph, leading);
    let found = false;
    for (const node of [...graph.nodes].reverse()) {
      const after = node.outputs.some((name) => leading.has(name));
      let inside = users.has(node);
      for (const inner of subgraphsOf(node)) {
        this.#owners.set(inner, node);
        // What a body of a loop gives out comes in again at the next step.
        if (this.#visit(inner, users, after || node.op !== "If")) inside = true;
        // A branch may read what is no signal for its layers: a condition, or what it only hands on.
        if (node.op === "If") for (const name of this.#leading.get(inner)!) leading.add(name);
      }
      if (inside) found = true;
      if (node.op !== "If" && (inside || after)) for (const name of dependencies(node)) leading.add(name);
    }
    return found;
  }
}
