/**
 * Reverse-mode differentiation of a graph: a new graph that holds the old one and, after it, nodes that compute the
 * gradient of a scalar. Cotangents are made on demand: nothing is built for values that no requested weight reaches or
 * that the loss does not depend on.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { GraphBuilder, type Value } from "../graph/builder.js";
import type { Graph, Node } from "../graph/graph.js";
import { nodeLabel, operatorLabel, subgraphsOf } from "../graph/graph.js";
import { isFloat } from "../graph/tensor.js";
import type { ValueTypes } from "../graph/value-type.js";
import { Cotangents } from "./cotangents.js";
import type { Kernels } from "../runtime/kernels.js";
import { type GradientRule, NoGradient } from "./rule.js";
import { rules } from "./gradients/index.js";
import { NodeSite } from "./site.js";

/** A node through which the gradient would have to pass, and cannot. */
export interface MissingGradient {
  readonly node: string;
  readonly operator: string;
  /** Why, in words: no rule, or what the rule cannot do. */
  readonly reason: string;
}

export interface DifferentiateOptions {
  /** The scalar to differentiate. */
  readonly loss: Value;
  /** Values to differentiate by. */
  readonly by: readonly Value[];
  readonly types: ValueTypes;
  readonly kernels: Kernels;
  /** Whether the result will be differentiated once more. */
  readonly twice: boolean;
  /** Begins the names of new values; two differentiations of one graph need two of them. */
  readonly prefix: string;
}

export interface Differentiated {
  /** The graph with its gradients; its outputs are as they were. */
  readonly graph: Graph;
  /** Gradient of each requested value that has one, in that value's shape. */
  readonly gradients: ReadonlyMap<Value, Value>;
  /** What cuts off each requested value that has no gradient because of a missing rule. */
  readonly cut: ReadonlyMap<Value, readonly MissingGradient[]>;
  /** Every node that cuts off anything, in reverse order of the graph. */
  readonly missing: readonly MissingGradient[];
}

const ruleByOperator: ReadonlyMap<string, GradientRule> = new Map(rules.map((rule) => [rule.op, rule]));

/** Whether there is a rule for an operator, its domain in front when that is not ONNX's own. */
export const hasGradient = (operator: string): boolean => ruleByOperator.has(operator);

/** Whether the gradient of an operator is zero wherever it exists. */
export const isFlat = (node: Node): boolean => ruleByOperator.get(operatorLabel(node))?.flat === true;

/**
 * Why no gradient can pass `node` to those of its inputs that are `sources`, as far as the operator and element types
 * tell; null where its rule decides.
 */
export function obstacle(node: Node, sources: readonly Value[], types: ValueTypes): string | null {
  const rule = ruleByOperator.get(operatorLabel(node));
  if (rule === undefined) return `there is no gradient for ${operatorLabel(node)}`;
  if (rule.anyType === true) return null;
  const other = sources.map((value) => types.get(value)?.dtype ?? "float").find((dtype) => dtype !== "float");
  return other === undefined ? null : `it computes in ${other}, and gradients in float32 only`;
}

/**
 * Differentiates the main graph. Values in `by` that the loss does not depend on are in neither map of the result.
 * @throws PruneScopeError `shape-mismatch` when the loss is not a scalar.
 */
export function differentiate(graph: Graph, options: DifferentiateOptions): Differentiated {
  const { loss, by, types } = options;
  const lossShape = types.get(loss)?.shape ?? null;
  if (lossShape?.some((dim) => dim !== 1) !== false) {
    throw new PruneScopeError("shape-mismatch", `The loss "${loss}" is no single number.`, { value: loss });
  }
  const b = new GraphBuilder(options.prefix, namesOf(graph));
  const needed = dependents(graph, by, types);
  const cotangents = new Cotangents(b, types);
  cotangents.add(loss, b.literal("float", lossShape, [1]), null);
  const cuts = new Cuts();
  /** Nodes that got an output they had left out. */
  const replaced = new Map<Node, Node>();

  for (const node of [...graph.nodes].reverse()) {
    const wanted = node.inputs.map((name) => needed.has(name));
    const captured = [...captures(node)].filter((name) => needed.has(name));
    if (captured.length === 0 && !wanted.includes(true)) continue;
    if (isFlat(node)) continue;
    const sources = [...node.inputs.filter((_, i) => wanted[i]), ...captured];
    const blocked = node.outputs.flatMap((output) => cuts.of(output));
    if (blocked.length > 0) {
      cuts.pass(sources, blocked);
      continue;
    }
    if (!node.outputs.some((output) => cotangents.has(output))) continue;
    try {
      const reason = obstacle(node, sources, types);
      if (reason !== null) throw new NoGradient(reason);
      const rule = ruleByOperator.get(operatorLabel(node))!;
      const site = new NodeSite(node, graph, b, cotangents, wanted, options);
      const made = rule.pullback(site).map((make, i) => (make === null || wanted[i] !== true ? null : make()));
      if (site.node !== node) replaced.set(node, site.node);
      const shared = rule.broadcasts === true ? site.outputShape(0) : null;
      made.forEach((value, i) => {
        if (value !== null) cotangents.add(node.inputs[i]!, value, shared);
      });
    } catch (error) {
      if (!(error instanceof NoGradient)) throw error;
      cuts.begin(sources, { node: nodeLabel(node), operator: operatorLabel(node), reason: error.message });
    }
  }

  const gradients = new Map<Value, Value>();
  const cut = new Map<Value, readonly MissingGradient[]>();
  for (const value of by) {
    const blocked = cuts.of(value);
    if (blocked.length > 0) cut.set(value, blocked);
    else if (cotangents.has(value)) gradients.set(value, cotangents.total(value));
  }
  return {
    graph: {
      ...graph,
      constants: new Map([...graph.constants, ...b.constants]),
      nodes: [...graph.nodes.map((node) => replaced.get(node) ?? node), ...b.nodes],
    },
    gradients,
    cut,
    missing: cuts.all,
  };
}

/** Values whose cotangent would be incomplete, and why. */
class Cuts {
  readonly all: MissingGradient[] = [];
  readonly #of = new Map<Value, readonly MissingGradient[]>();

  of(value: Value): readonly MissingGradient[] {
    return this.#of.get(value) ?? [];
  }

  begin(sources: readonly Value[], missing: MissingGradient): void {
    this.all.push(missing);
    this.pass(sources, [missing]);
  }

  pass(sources: readonly Value[], by: readonly MissingGradient[]): void {
    for (const source of sources) this.#of.set(source, [...new Set([...this.of(source), ...by])]);
  }
}

/**
 * `values` and everything real computed from them: integers and truth values have no gradient, except integers that are
 * quantised real numbers, or made of such by moving them.
 */
export function dependents(graph: Graph, values: readonly Value[], types: ValueTypes): Set<Value> {
  const reached = new Set(values);
  const real = (value: Value): boolean => {
    const type = types.get(value);
    return value !== "" && (type === undefined || isFloat(type.dtype));
  };
  for (const node of graph.nodes) {
    const sources = [...node.inputs, ...captures(node)].filter((name) => reached.has(name));
    if (sources.length === 0) continue;
    const codes = new Set(sources.map((name) => types.get(name)?.dtype).filter((dtype) => dtype !== undefined));
    const quantised = ruleByOperator.get(operatorLabel(node))?.quantises === true;
    for (const output of node.outputs) {
      const dtype = types.get(output)?.dtype;
      if (real(output) || quantised || (dtype !== undefined && codes.has(dtype))) reached.add(output);
    }
  }
  return reached;
}

/** Names that a node's subgraphs read, their own among them. */
export function* captures(node: Node): Iterable<Value> {
  for (const inner of subgraphsOf(node)) {
    for (const output of inner.outputs) yield output.name;
    for (const body of inner.nodes) {
      yield* body.inputs;
      yield* captures(body);
    }
  }
}

function* namesOf(graph: Graph): Iterable<Value> {
  for (const input of graph.inputs) yield input.name;
  yield* graph.constants.keys();
  for (const node of graph.nodes) yield* node.outputs;
}
