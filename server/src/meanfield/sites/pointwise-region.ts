/**
 * An activation that is spelt out in several operators (SiLU as x·Sigmoid(x), GELU by Erf, HardSwish, Mish …): the region
 * of pointwise operators behind a value is cut out of the graph, run in ONNX Runtime on a grid, and compared with every
 * activation that the theory knows. What is recognised is thereby what the graph computes, however it is written.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Value } from "../../graph/builder.js";
import { type Constant, type Graph, intAttribute, type Model, type Node, operatorLabel } from "../../graph/graph.js";
import type { Links } from "../../graph/links.js";
import { literal, literalValues } from "../../graph/literal.js";
import { dtypeByCode, isFloat } from "../../graph/tensor.js";
import { fixedValues } from "../../runtime/fixed-values.js";
import { onnxRuntime } from "../../runtime/session.js";
import type { Activation } from "../activations/activation.js";
import { activationNamed, activations } from "../activations/index.js";
import { constantBehind } from "../../graph/weighted-sum.js";

/** A region with one way in and one way out. */
export interface PointwiseRegion {
  readonly input: Value;
  readonly output: Value;
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

/** Regions of pointwise operators behind `input` with one way out, from the smallest up: the first that is an activation is one. */
export function* regionsBehind(links: Links, input: Value): Iterable<PointwiseRegion> {
  const inside = new Set<Value>([input]);
  const members = new Set<Node>();
  const nodes: Node[] = [];
  const constants = new Map<string, Constant>();
  // Nodes are in topological order, so one pass meets each after its inputs.
  for (const node of links.graph.nodes) {
    if (nodes.length >= most) return;
    if (node.domain !== "" || !pointwise.has(node.op) || !node.inputs.some((name) => inside.has(name))) continue;
    const numbers = node.inputs.map((name) => (name === "" || inside.has(name) ? null : scalarConstant(links, name)));
    if (node.inputs.some((name, i) => name !== "" && !inside.has(name) && numbers[i] === null)) continue;
    members.add(node);
    nodes.push(inFloat32(node));
    inside.add(node.outputs[0]!);
    node.inputs.forEach((name, i) => {
      const constant = numbers[i] ?? null;
      if (constant !== null) constants.set(name, { ...constant, name });
    });
    const leaving = [...inside].filter(
      (value) => links.isOutput(value) || links.consumers(value).some((reader) => !members.has(reader)),
    );
    const [output, ...others] = leaving;
    if (output !== undefined && output !== input && others.length === 0)
      yield { input, output, nodes: [...nodes], constants: new Map(constants) };
  }
}

/** Regions run in float32, whatever the model does: a cast between floats is then nothing. */
function inFloat32(node: Node): Node {
  const to = node.op === "Cast" ? dtypeByCode[intAttribute(node, "to", 0)] : undefined;
  return to != null && isFloat(to) ? { ...node, op: "Identity", attributes: new Map() } : node;
}

/** A constant of one number that the graph holds, as float32, without axes that could broadcast. */
function scalarConstant(links: Links, name: Value): Constant | null {
  const constant = constantBehind(links, name);
  if (constant === null || !isFloat(constant.tensor.dtype)) return null;
  const numbers = literalValues(constant);
  return numbers?.length === 1 ? literal(name, "float", [], numbers) : null;
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

/** Which activation regions are; equal regions are run once. */
export class RegionReader {
  readonly #known = new Map<string, Activation | null>();

  constructor(
    private readonly model: Pick<Model, "opsets" | "irVersion">,
    private readonly threads: number,
  ) {}

  /** The activation that a region computes; null where none of ours does. */
  async activationOf(region: PointwiseRegion): Promise<Activation | null> {
    const key = signature(region);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const values = await this.#run(region);
    const found = values === null ? null : fitting(values);
    this.#known.set(key, found);
    return found;
  }

  async #run({ input, output, nodes, constants }: PointwiseRegion): Promise<ArrayLike<number> | null> {
    const shape = [grid.length];
    const graph: Graph = {
      name: "activation",
      path: "",
      parent: null,
      inputs: [{ name: input, dtype: "float", shape }],
      outputs: [{ name: output, dtype: "float", shape }],
      constants,
      nodes,
    };
    const { Tensor } = await onnxRuntime();
    const model: Model = { ...this.model, graph, producer: "", docString: "", metadata: [], notes: [] };
    try {
      const made = await fixedValues(model, [output], {
        feeds: { [input]: new Tensor("float32", grid, shape) },
        inputShapes: new Map([[input, shape]]),
        threads: this.threads,
        constant: () => Promise.reject(new Error("all constants are in the graph")),
      });
      return made.get(output)!.data as Float32Array;
    } catch (error) {
      // Not a graph for floats: then it is no activation that we know.
      if (error instanceof PruneScopeError) return null;
      throw error;
    }
  }
}

/** The same for regions that compute the same, whatever their values are called. */
function signature({ input, nodes, constants }: PointwiseRegion): string {
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
  return JSON.stringify(parts);
}
