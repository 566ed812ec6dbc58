/**
 * An activation that is spelt out in several operators (SiLU as x·Sigmoid(x), GELU by Erf, HardSwish, Mish …): the region
 * of pointwise operators behind a value is cut out of the graph, run in ONNX Runtime on a grid, and compared with every
 * activation that the theory knows. What is recognised is thereby what the graph computes, however it is written.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Value } from "../../graph/builder.js";
import { type Constant, type Graph, intAttribute, type Model, type Node, operatorLabel } from "../../graph/graph.js";
import type { Links } from "../../graph/links.js";
import { literal } from "../../graph/literal.js";
import { dtypeByCode, isFloat } from "../../graph/tensor.js";
import { fixedValues } from "../../runtime/fixed-values.js";
import { onnxRuntime } from "../../runtime/session.js";
import type { Activation } from "../activations/activation.js";
import { activationNamed, activations } from "../activations/index.js";
import { constantBehind } from "../../graph/weighted-sum.js";
import { scalarOf } from "./activation-operators.js";

/** A region with one way in, which can be left at several values: each is the only way out of what lies before it. */
export interface PointwiseRegion {
  readonly input: Value;
  /** Nearest first. */
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Constant>;
}

/** Operators that look at one element at a time. */
const pointwise: ReadonlySet<string> = new Set([
  "Abs",
  "Add",
  "Cast",
  "Celu",
  "Clip",
  "Div",
  "Elu",
  "Erf",
  "Exp",
  "Gelu",
  "Greater",
  "GreaterOrEqual",
  "HardSigmoid",
  "HardSwish",
  "Identity",
  "LeakyRelu",
  "Less",
  "LessOrEqual",
  "Log",
  "Max",
  "Min",
  "Mish",
  "Mul",
  "Neg",
  "Pow",
  "Reciprocal",
  "Relu",
  "Selu",
  "Sigmoid",
  "Softplus",
  "Sqrt",
  "Sub",
  "Swish",
  "Tanh",
  "Where",
]);

/** Most operators of one activation. */
const most = 16;

/** The region of pointwise operators behind `input`; null where it cannot be left at one value, or is affine. */
export function regionBehind(links: Links, input: Value): PointwiseRegion | null {
  const inside = new Set<Value>([input]);
  const members = new Set<Node>();
  const nodes: Node[] = [];
  const constants = new Map<string, Constant>();
  const outputs: Value[] = [];
  // Nodes are in topological order, so one pass meets each after its inputs.
  for (const node of links.graph.nodes) {
    if (nodes.length >= most) break;
    if (node.domain !== "" || !pointwise.has(node.op) || !node.inputs.some((name) => inside.has(name))) continue;
    const numbers = node.inputs.map((name) => (name === "" || inside.has(name) ? null : scalarConstant(links, name)));
    if (node.inputs.some((name, i) => name !== "" && !inside.has(name) && numbers[i] === null)) continue;
    members.add(node);
    nodes.push(inFloat32(node));
    inside.add(node.outputs[0]!);
    for (const constant of numbers) if (constant !== null) constants.set(constant.name, constant);
    const leaving = [...inside].filter(
      (value) => links.isOutput(value) || links.consumers(value).some((reader) => !members.has(reader)),
    );
    const [output, ...others] = leaving;
    if (output !== undefined && output !== input && others.length === 0) outputs.push(output);
  }
  const bends = nodes.some(({ op, inputs }) => !affine.has(op) || inputs.every((name) => !constants.has(name)));
  return outputs.length > 0 && bends ? { input, outputs, nodes, constants } : null;
}

/** With a constant they make no activation. */
const affine: ReadonlySet<string> = new Set(["Add", "Div", "Identity", "Mul", "Sub"]);

/** Regions run in float32, whatever the model does: a cast between floats is then nothing. */
function inFloat32(node: Node): Node {
  const to = node.op === "Cast" ? dtypeByCode[intAttribute(node, "to", 0)] : undefined;
  return to != null && isFloat(to) ? { ...node, op: "Identity", attributes: new Map() } : node;
}

/** A constant of one number that the graph holds, as float32, without axes that could broadcast. */
function scalarConstant(links: Links, name: Value): Constant | null {
  const constant = constantBehind(links, name);
  const number = constant !== null && isFloat(constant.tensor.dtype) ? scalarOf(links, name) : null;
  return number === null ? null : literal(name, "float", [], [number]);
}

/** Where candidates are compared: finely around 0, and far out, where Clip ends and others go on. */
const grid = Float32Array.from([
  -60,
  -25,
  -12,
  ...Array.from({ length: 161 }, (_, i) => (i - 80) / 10 + 0.013),
  12,
  25,
  60,
]);
/** float32, ONNX Runtime's approximations of tanh and erf, and rounded constants of a file. */
const tolerance = 3e-5;

/** Every family with its defaults (CELU's are ELU), and HardSigmoid as PyTorch has it. */
const candidates: readonly Activation[] = [
  ...activations.filter(({ id }) => id !== "celu").map(({ id }) => activationNamed(id)),
  activationNamed("hard-sigmoid", { alpha: Number((1 / 6).toPrecision(7)) }),
];

/** The activation of `values` on the grid; null where none fits. */
function fitting(values: ArrayLike<number>): Activation | null {
  const fits = (candidate: Activation): boolean =>
    grid.every((u, i) => Math.abs(values[i]! - candidate.value(u)) <= tolerance * Math.max(1, Math.abs(u)));
  return candidates.find(fits) ?? [...fitted(values)].find(fits) ?? null;
}

/** Families with the parameters that they would have. */
function* fitted(values: ArrayLike<number>): Iterable<Activation> {
  const [last, middle] = [grid.length - 1, (grid.length - 1) / 2];
  const at = (i: number): number => values[i]!;
  const slope = (at(middle + 5) - at(middle)) / (grid[middle + 5]! - grid[middle]!);
  const gate = at(middle + 10) / grid[middle + 10]!;
  const guesses: readonly (readonly [family: string, parameters: Readonly<Record<string, number>>])[] = [
    ["leaky-relu", { alpha: at(0) / grid[0]! }],
    ...(at(0) === at(2) && at(last) === at(last - 2) ? [["clip", { min: at(0), max: at(last) }] as const] : []),
    ["elu", { alpha: at(0) / Math.expm1(grid[0]!) }],
    ["silu", { alpha: Math.log(gate / (1 - gate)) / grid[middle + 10]! }],
    ["hard-sigmoid", { alpha: slope, beta: at(middle) - slope * grid[middle]! }],
  ];
  for (const [family, parameters] of guesses) {
    const rounded = Object.entries(parameters).map(([name, value]) => [name, Number(value.toPrecision(5))] as const);
    try {
      yield activationNamed(family, Object.fromEntries(rounded));
    } catch {
      // Parameters that the family does not take: it is another one.
    }
  }
}

/** An activation, and the value that holds its result. */
export interface Recognised {
  readonly activation: Activation;
  readonly output: Value;
}

/** Tells which activations regions are; equal regions are run once. */
export class RegionReader {
  /** By signature: the activation and the index of the output. */
  readonly #known = new Map<string, { readonly activation: Activation; readonly index: number } | null>();

  constructor(
    private readonly model: Pick<Model, "opsets" | "irVersion">,
    private readonly threads: number,
  ) {}

  /** The smallest part of a region that is one of the theory's activations; null where none is. */
  async activationOf(region: PointwiseRegion): Promise<Recognised | null> {
    const key = signature(region);
    let found = this.#known.get(key);
    if (found === undefined) this.#known.set(key, (found = await this.#search(region)));
    return found === null ? null : { activation: found.activation, output: region.outputs[found.index]! };
  }

  async #search(region: PointwiseRegion): Promise<{ activation: Activation; index: number } | null> {
    const { outputs } = region;
    const all = await this.#run(region, outputs);
    for (const [index, output] of outputs.entries()) {
      // What lies further on may be no graph for floats, and nearer parts be one.
      const values = (all ?? (await this.#run(region, [output])))?.get(output);
      const activation = values === undefined ? null : fitting(values);
      if (activation !== null && activation.name !== "identity") return { activation, index };
    }
    return null;
  }

  /** Values on the grid; null where they cannot be computed for floats. */
  async #run(
    { input, nodes, constants }: PointwiseRegion,
    outputs: readonly Value[],
  ): Promise<ReadonlyMap<Value, ArrayLike<number>> | null> {
    const shape = [grid.length];
    const graph: Graph = {
      name: "activation",
      path: "",
      parent: null,
      inputs: [{ name: input, dtype: "float", shape }],
      outputs: outputs.map((name) => ({ name, dtype: "float", shape })),
      constants,
      nodes,
    };
    const { Tensor } = await onnxRuntime();
    const model: Model = { ...this.model, graph, producer: "", docString: "", metadata: [], notes: [] };
    try {
      const made = await fixedValues(model, outputs, {
        feeds: { [input]: new Tensor("float32", grid, shape) },
        inputShapes: new Map([[input, shape]]),
        threads: this.threads,
        constant: () => Promise.reject(new Error("all constants are in the graph")),
      });
      return new Map([...made].map(([name, { data }]) => [name, data as Float32Array]));
    } catch (error) {
      if (error instanceof PruneScopeError) return null;
      throw error;
    }
  }
}

/** The same for regions that compute the same, whatever their values are called. */
function signature({ input, outputs, nodes, constants }: PointwiseRegion): string {
  const places = new Map<Value, number>([[input, 0]]);
  const parts = nodes.map((node) => {
    const inputs = node.inputs.map((name) => {
      const constant = constants.get(name);
      return constant === undefined ? (places.get(name) ?? -1) : [...(constant.inline ?? [])];
    });
    places.set(node.outputs[0]!, places.size);
    const attributes = [...node.attributes].map(([name, one]) => [
      name,
      "value" in one && one.kind !== "tensor" && one.kind !== "graph" && one.kind !== "graphs"
        ? String(one.value)
        : one.kind,
    ]);
    return [operatorLabel(node), inputs, attributes];
  });
  return JSON.stringify([parts, outputs.map((name) => places.get(name))]);
}
