/**
 * Whether weights of a model can be scored by derivatives, as far as its operators tell without running it. What depends
 * on shapes, on data or on branches is left for the run to find out.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { isNumeric } from "../data/array.js";
import type { Value } from "../graph/builder.js";
import { elementTypes } from "../graph/element-types.js";
import { type Graph, type Model, type Node, operatorLabel, subgraphsOf, type ValueInfo } from "../graph/graph.js";
import { modernise } from "../graph/modernise/index.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { isFloat } from "../graph/tensor.js";
import { isRecurrent } from "../graph/unroll-recurrent.js";
import type { ValueTypes } from "../graph/value-type.js";
import { captures, dependents, hasGradient, isFlat, obstacle } from "./differentiate.js";
import { liftWeights } from "./lift-weights.js";
import { flowObstacle } from "./linearise/prospect.js";
import { operatorNames } from "./operator-names.js";

/** Why no weight can be scored, in a sentence; null where that is not known to be so. */
export interface Prospects {
  /** By derivatives of a loss. */
  readonly gradients: string | null;
  /** By SynFlow's linear network. */
  readonly flow: string | null;
}

/** Most outputs that are looked at; with more of them the run says what is in the way. */
const mostOutputs = 32;

/** What can be expected of `weights` of `model`. Takes time in proportion to the number of nodes, and never throws. */
export function prospectsOf(model: Model, weights: readonly PrunableWeight[]): Prospects {
  const same = (reason: string | null): Prospects => ({ gradients: reason, flow: reason });
  // Which branch runs is known when there are inputs.
  if (weights.length === 0 || weights.some(({ uses }) => uses.some(({ graph }) => graph.parent !== null)))
    return same(null);
  const odd = model.graph.inputs.find(({ dtype }) => !isNumeric(dtype));
  if (odd !== undefined) return same(`Input "${odd.name}" is ${odd.type ?? odd.dtype}, and samples are numbers.`);
  try {
    const { graph } = modernise(model);
    const inferred = elementTypes(graph);
    for (const { name, dtype } of graph.outputs) if (dtype !== "other") inferred.set(name, dtype);
    const known: ValueTypes = new Map([...inferred].map(([name, dtype]) => [name, { dtype, shape: null }]));
    const lifted = liftWeights(graph, weights, known);
    const values = lifted.values.filter((value) => value !== null);
    if (values.length === 0) {
      return same(`No layer can be scored: "${weights[0]!.id}" cannot because ${lifted.reasons[0] ?? ""}.`);
    }
    return {
      gradients: gradientObstacle(lifted.graph, values, lifted.types),
      flow: flowObstacle(lifted.graph, values, lifted.types),
    };
  } catch (error) {
    // What else is wrong with a model is for the run to say.
    return same(error instanceof PruneScopeError ? error.message : null);
  }
}

/** A node that gradients would have to pass. */
interface Passage {
  readonly node: Node;
  /** Inputs that depend on weights. */
  readonly sources: readonly Value[];
  readonly blocked: boolean;
}

function gradientObstacle(graph: Graph, weights: readonly Value[], types: ValueTypes): string | null {
  const judged = graph.outputs.filter(({ name }) => (types.get(name)?.dtype ?? "float") === "float");
  if (judged.length === 0) return `No output holds float32 numbers for a loss: ${outputWords(graph.outputs)}.`;
  if (judged.length > mostOutputs) return null;
  const needed = dependents(graph, weights, types);
  const passages = graph.nodes
    .filter((node) => !isFlat(node))
    .map((node): Passage => {
      const sources = [...node.inputs, ...captures(node)].filter((name) => needed.has(name));
      return { node, sources, blocked: !isDecidedLater(node) && obstacle(node, sources, types) !== null };
    })
    .filter(({ sources }) => sources.length > 0)
    .reverse();
  const blocking = new Set<Node>();
  for (const { name } of judged) {
    const reached = new Set([name]);
    const cut = new Set<Value>();
    for (const { node, sources, blocked } of passages) {
      const isCut = node.outputs.some((output) => cut.has(output));
      if (!isCut && !node.outputs.some((output) => reached.has(output))) continue;
      if (blocked && !isCut) blocking.add(node);
      for (const source of sources) (blocked || isCut ? cut : reached).add(source);
    }
    if (weights.some((weight) => reached.has(weight) && !cut.has(weight))) return null;
  }
  return wordsOf([...blocking], types);
}

/** Branches are chosen, and recurrent layers unrolled, before the graph is differentiated. */
const isDecidedLater = (node: Node): boolean => isRecurrent(node) || [...subgraphsOf(node)].length > 0;

function wordsOf(blocking: readonly Node[], types: ValueTypes): string {
  if (blocking.length === 0) return "No output of float32 numbers depends on a layer in a way that has a gradient.";
  const ruleless = blocking.filter((node) => !hasGradient(operatorLabel(node)));
  if (ruleless.length > 0)
    return `Every layer is cut off from the outputs by operators without a gradient here: ${operatorNames(ruleless)}.`;
  const wide = new Set(blocking.flatMap(({ inputs }) => inputs.map((input) => types.get(input)?.dtype ?? "float")));
  const others = [...wide].filter((dtype) => dtype !== "float" && isFloat(dtype)).join(", ");
  return `Every layer is cut off from the outputs by operators that compute in ${others}, and gradients are taken in float32 only: ${operatorNames(blocking)}.`;
}

const outputWords = (outputs: readonly ValueInfo[]): string =>
  outputs.map(({ name, dtype, type }) => `"${name}" is ${type ?? dtype}`).join(", ");
