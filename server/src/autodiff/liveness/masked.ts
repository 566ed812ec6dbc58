/** The graph of a linear network's paths: zeros and ones, and flags that say which elements of a weight are kept. */
import { GraphBuilder, type Value } from "../../graph/builder.js";
import { type Graph, type Node, nodeLabel, operatorLabel, type ValueInfo } from "../../graph/graph.js";
import { castTo } from "../../graph/literal.js";
import { valueNames } from "../../graph/rebuild.js";
import { dependencies } from "../../graph/traversal.js";
import type { ValueTypes } from "../../graph/value-type.js";
import { movers } from "../linearise/linearise.js";
import { saturated } from "./saturated.js";

/** A weight in the network. */
export interface Place {
  readonly index: number;
  readonly value: Value;
  readonly shape: readonly number[];
}

/** The input that says which elements of a weight are kept. */
export const flagOf = (value: Value): Value => `keep/${value}`;

/**
 * `graph`, a linear network and its gradients, in zeros and ones, with flags (bool) in the place of its weights.
 * @param model the graph that was linearised; @param types of its values.
 */
export function masked(graph: Graph, model: Graph, types: ValueTypes, places: readonly Place[]): Graph {
  const made = saturated(graph, new Set(model.nodes));
  const taken = new Set(graph.inputs.map(({ name }) => name));
  const given = places.filter(({ value }) => taken.has(value));
  const b = new GraphBuilder("flags/", valueNames(made));
  const named = (from: Value, name: Value): void => {
    b.node({ name, op: "Identity", domain: "", inputs: [from], outputs: [name], attributes: new Map() });
  };
  for (const { value } of given) named(b.cast(flagOf(value), castTo("float")), value);
  const { computed } = mixing(
    model,
    graph,
    types,
    given.map(({ value }) => value),
  );
  const nodes = made.nodes.filter((node) => !computed.has(node));
  for (const { outputs } of computed)
    for (const name of outputs) named(b.expand(b.scalar(1), types.get(name)?.shape ?? []), name);
  const flags = given.map(({ value, shape }): ValueInfo => ({ name: flagOf(value), dtype: "bool", shape: [...shape] }));
  const inputs = [...graph.inputs.filter(({ name }) => !given.some(({ value }) => value === name)), ...flags];
  return {
    ...made,
    inputs,
    constants: new Map([...made.constants, ...b.constants]),
    nodes: [...b.nodes, ...nodes],
  };
}

/**
 * Nodes of the model that compute real numbers from weights (their mean, the difference to it), and why such weights
 * are not followed: flags say nothing there. What is computed counts as a factor that is not 0.
 */
export function mixing(
  model: Graph,
  graph: Graph,
  types: ValueTypes,
  weights: readonly Value[],
): { readonly computed: ReadonlySet<Node>; readonly reasons: ReadonlyMap<Value, string> } {
  const own = new Set<Node>(model.nodes);
  const behind = new Map<Value, ReadonlySet<Value>>(weights.map((weight) => [weight, new Set([weight])]));
  const computed = new Set<Node>();
  const reasons = new Map<Value, string>();
  for (const node of graph.nodes) {
    if (!own.has(node) || !node.outputs.every((output) => types.get(output)?.dtype === "float")) continue;
    const sources = new Set([...dependencies(node)].flatMap((name) => [...(behind.get(name) ?? [])]));
    if (sources.size === 0) continue;
    if (movers.has(operatorLabel(node))) for (const output of node.outputs) behind.set(output, sources);
    else {
      computed.add(node);
      for (const source of sources) reasons.set(source, `${node.op} "${nodeLabel(node)}" computes with it`);
    }
  }
  return { computed, reasons };
}
