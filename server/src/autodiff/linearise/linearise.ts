/**
 * SynFlow's linear network of a model (Tanaka et al. 2020, arXiv 2006.05467) as a graph: ones as input, weights as their
 * magnitudes, and R, the sum of the logits. Everything the model computes apart from its data stays as it is. Numbers
 * that the data gives as integers (an embedding's rows, a one-hot code) are inputs too, and so are ones: the scores need
 * no data at all.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import { GraphBuilder, type Value } from "../../graph/builder.js";
import { type Graph, type Node, nodeLabel, operatorLabel, subgraphsOf, type ValueInfo } from "../../graph/graph.js";
import { literal } from "../../graph/literal.js";
import { isFloat } from "../../graph/tensor.js";
import { dependencies } from "../../graph/traversal.js";
import { valueNames } from "../../graph/rebuild.js";
import type { ValueTypes } from "../../graph/value-type.js";
import { Exponents } from "./exponents.js";
import { finalValues } from "./final.js";
import { Reasons } from "./reasons.js";
import { decision, type Image, type LinearRule, type Missing, NoLinearForm, type Signal } from "./rule.js";
import { linearRules } from "./rules/index.js";
import { NodeLinearSite, type Surroundings } from "./site.js";

export interface Linearised {
  /** The linear graph: its inputs are the weights, which are fed as magnitudes, and the scaling factors. */
  readonly graph: Graph;
  /** What computes the scaling factors from values of the linear graph. */
  readonly scaling: Pick<Graph, "nodes" | "constants">;
  /** R · 2^−exponent, a scalar; null when no output has a linear form. */
  readonly flow: Value | null;
  /** Exponent of R: a scalar of `scaling`. */
  readonly exponent: Value;
  /** Values of the linear graph that are held constant: what only feeds them has no place in R. */
  readonly held: readonly Value[];
  /** Why weights have no score. */
  readonly reasons: Reasons;
}

/** What a linear network is made by. */
export interface LinearForm {
  readonly rules: ReadonlyMap<string, LinearRule>;
  readonly exponents: new (b: GraphBuilder, s: GraphBuilder) => Exponents;
}

/** Rules by their operators. */
export const byOperator = (rules: readonly LinearRule[]): ReadonlyMap<string, LinearRule> =>
  new Map(rules.map((rule) => [rule.op, rule]));

/** SynFlow's own. */
export const synflowForm: LinearForm = Object.freeze({ rules: byOperator(linearRules), exponents: Exponents });

/** Whether there is a linear form of an operator, its domain in front when that is not ONNX's own. */
export const hasLinearForm = (operator: string): boolean => synflowForm.rules.has(operator);

/** Operators that only move elements: what comes out is as large as what went in. */
export const movers: ReadonlySet<string> = new Set([
  ...["Cast", "Concat", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile"],
  ...["Transpose", "Unsqueeze"],
]);

/**
 * Linearises a flat main graph of operator set 18 or newer.
 * @param weights inputs or constants of the graph that are weights: float32, of known shape.
 * @param types of all values, dynamic axes bound.
 */
export function linearise(
  graph: Graph,
  weights: readonly Value[],
  types: ValueTypes,
  form: LinearForm = synflowForm,
): Linearised {
  return new Linearisation(graph, weights, types, form).result();
}

class Linearisation {
  readonly #b: GraphBuilder;
  readonly #s: GraphBuilder;
  readonly #exponents: Exponents;
  readonly #images = new Map<Value, Image>();
  readonly #around: Surroundings;
  readonly #reasons: Reasons;
  readonly #weights: ReadonlySet<Value>;

  constructor(
    readonly graph: Graph,
    weights: readonly Value[],
    readonly types: ValueTypes,
    readonly form: LinearForm,
  ) {
    const taken = valueNames(graph);
    this.#b = new GraphBuilder("linear/", taken);
    this.#s = new GraphBuilder("scaling/", taken);
    this.#exponents = new form.exponents(this.#b, this.#s);
    this.#weights = new Set(weights);
    this.#reasons = new Reasons(graph);
    const producers = new Map<string, Node>();
    for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
    this.#around = {
      types,
      producers,
      constants: graph.constants,
      images: this.#images,
      final: finalValues(graph),
      holdConstant: (value, why) => this.#reasons.hold(value, why),
    };
  }

  result(): Linearised {
    for (const { name, dtype } of this.graph.inputs) {
      if (!this.#weights.has(name)) this.#images.set(name, isFloat(dtype) ? this.#ones(name) : decision);
    }
    for (const name of this.graph.constants.keys()) this.#know(name, false);
    for (const name of this.#weights) this.#know(name, true);
    for (const node of this.graph.nodes) {
      const images = this.#imagesOf(node);
      node.outputs.forEach((output, i) => {
        if (output !== "") this.#images.set(output, images[i]!);
      });
    }
    const flow = this.#flow();
    return {
      graph: {
        ...this.graph,
        inputs: this.#inputs(),
        outputs: [],
        constants: new Map(
          [...this.graph.constants, ...this.#b.constants].filter(([name]) => !this.#weights.has(name)),
        ),
        nodes: this.#b.nodes,
      },
      scaling: this.#s,
      flow: flow?.value ?? null,
      exponent: flow?.exponent ?? this.#exponents.zero,
      held: this.#reasons.heldValues.flatMap((name) => {
        const image = this.#images.get(name);
        return image?.kind === "signal" || image?.kind === "known" ? [image.value] : [];
      }),
      reasons: this.#reasons,
    };
  }

  #know(value: Value, nonNegative: boolean): void {
    this.#images.set(value, { kind: "known", value, nonNegative });
  }

  #imagesOf(node: Node): Image[] {
    const reads = [...dependencies(node)].filter((name) => name !== "").map((name) => this.#images.get(name));
    const every = (image: (i: number) => Image): Image[] => node.outputs.map((_, i) => image(i));
    if (node.domain === "" && (node.op === "Shape" || node.op === "Size")) {
      const sizes = this.#sizes(node);
      if (sizes !== null) return every(() => sizes);
    }
    if (reads.every((image) => image?.kind === "known")) {
      this.#b.node(node);
      const moves = movers.has(operatorLabel(node));
      const nonNegative = moves && node.inputs.every((name) => !this.#isFloat(name) || this.#isNonNegative(name));
      return every((i) => ({ kind: "known", value: node.outputs[i]!, nonNegative }));
    }
    const missing = reads.find((image): image is Missing => image?.kind === "missing");
    const signals = node.inputs.some((name) => this.#images.get(name)?.kind === "signal");
    const rest = (i: number, reason: string): Image => {
      const output = node.outputs[i]!;
      if (!this.#isFloat(output)) return decision;
      return { kind: "missing", node: nodeLabel(node), operator: operatorLabel(node), reason: reason };
    };
    if (missing !== undefined) return every((i) => (this.#isFloat(node.outputs[i]!) ? missing : decision));
    if (!signals && [...subgraphsOf(node)].length === 0)
      return every((i) => (this.#isFloat(node.outputs[i]!) ? this.#ones(node.outputs[i]!) : decision));
    const rule = this.form.rules.get(operatorLabel(node));
    let made: readonly Image[] = [];
    let reason = `SynFlow has no linear form of ${operatorLabel(node)}`;
    try {
      if (rule !== undefined) made = rule.images(new NodeLinearSite(node, this.#b, this.#exponents, this.#around));
    } catch (error) {
      if (!(error instanceof NoLinearForm)) throw error;
      reason = `SynFlow has no linear form of ${operatorLabel(node)} "${nodeLabel(node)}": ${error.message}`;
    }
    if (made.length === 0 && node.outputs.some((output) => this.#isFloat(output)))
      for (const name of dependencies(node)) this.#reasons.lack(name, reason);
    return every((i) => made[i] ?? rest(i, reason));
  }

  #isNonNegative(value: Value): boolean {
    const image = this.#images.get(value);
    return image?.kind === "known" && image.nonNegative;
  }

  /** Shape and Size of a value that depends on data, under their own name. */
  #sizes(node: Node): Image | null {
    const [value] = node.outputs as [Value];
    const shape = this.types.get(node.inputs[0]!)?.shape ?? null;
    if (shape === null) return null;
    const part = (name: string): number | undefined => {
      const attribute = node.attributes.get(name);
      return attribute?.kind === "int" ? Number(attribute.value) : undefined;
    };
    const dims = shape.slice(part("start") ?? 0, part("end"));
    const made =
      node.op === "Size"
        ? literal(value, "int64", [], [shape.reduce((product, dim) => product * dim, 1)])
        : literal(value, "int64", [dims.length], dims);
    this.#b.constants.set(value, made);
    return { kind: "known", value, nonNegative: true };
  }

  /** Ones in the shape of a value: what enters the linear network. */
  #ones(value: Value): Image {
    const shape = this.types.get(value)?.shape ?? null;
    if (shape === null) {
      return { kind: "missing", node: value, operator: "", reason: `the shape of "${value}" depends on data` };
    }
    const ones = this.#b.expand(this.#b.scalar(1), shape);
    return { kind: "signal", value: ones, exponent: this.#exponents.zero, loose: 0, bounds: null };
  }

  #isFloat(value: Value): boolean {
    const type = this.types.get(value);
    return type !== undefined && isFloat(type.dtype);
  }

  /** R: the sum of all elements of all outputs. */
  #flow(): Pick<Signal, "value" | "exponent"> | null {
    const sums = this.graph.outputs.flatMap(({ name }) => {
      const image = this.#images.get(name);
      if (image?.kind !== "signal") return [];
      const from = this.#exponents.normalised(image);
      const sum = this.#b.op("ReduceSum", [from.value], { keepdims: 0 });
      return [this.#exponents.grown(sum, from)];
    });
    if (sums.length === 0) return null;
    const { values, exponent } = this.#exponents.aligned(sums);
    return { value: this.#b.sum(values), exponent };
  }

  #inputs(): ValueInfo[] {
    const weights = [...this.#weights].map((name): ValueInfo => {
      const shape = this.types.get(name)?.shape ?? null;
      if (shape === null)
        throw new PruneScopeError("shape-mismatch", `The shape of weight "${name}" depends on data.`, { value: name });
      return { name, dtype: "float", shape: [...shape] };
    });
    const factors = [...this.#exponents.factors].map((name): ValueInfo => ({ name, dtype: "float", shape: [] }));
    return [...weights, ...factors];
  }
}
