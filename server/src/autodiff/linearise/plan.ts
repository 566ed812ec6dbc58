/** Graphs that compute what each weight gives to a sum in the linear network, and why weights give nothing. */
import type * as Ort from "onnxruntime-node";
import { differentiate } from "../differentiate.js";
import type { Linearised } from "./linearise.js";
import { GraphBuilder, type Value } from "../../graph/builder.js";
import type { Constant, Graph, Model, Node } from "../../graph/graph.js";
import { reachable } from "../../graph/reachable.js";
import { valueNames } from "../../graph/rebuild.js";
import { topologicalOrder } from "../../graph/traversal.js";
import { elementCount } from "../../graph/tensor.js";
import type { ValueTypes } from "../../graph/value-type.js";
import type { Kernels } from "../../runtime/kernels.js";
import { observedTypes } from "../../runtime/observed-types.js";
import { onnxRuntime } from "../../runtime/session.js";
import { valueTypes } from "../../runtime/shapes.js";

/** A flat model of operator set 21 or newer, and which of its values are weights. */
export interface FlowModel {
  readonly model: Model;
  /** Of all values, dynamic axes bound. A batch of 1 is enough. */
  readonly types: ValueTypes;
  /** Inputs or constants of the graph. */
  readonly weights: readonly Value[];
  readonly threads: number;
  readonly kernels: Kernels;
  /** Elements of a constant that the graph does not hold. */
  readonly constant: (constant: Constant) => Promise<Ort.Tensor>;
}

export interface Plan {
  readonly graph: Graph;
  /** Value of each weight's shares; null where it has none. */
  readonly shares: readonly (Value | null)[];
  /** Why a weight has none; null where it has some. */
  readonly reasons: readonly (string | null)[];
  readonly flow: Value;
  readonly exponent: Value;
}

/** Shares in the flow R. */
export async function flowPlan(model: FlowModel, linear: Linearised): Promise<Plan> {
  const { graph, flow, exponent, reasons } = linear;
  if (flow === null) {
    const why = model.weights.map((weight) => reasons.incomplete(weight) ?? reasons.absent(weight));
    return { graph, shares: why.map(() => null), reasons: why, flow: "", exponent };
  }
  return planOf(model, linear, graph, flow);
}

/** Shares in the sum of everything that is held constant. */
export async function heldPlan(model: FlowModel, linear: Linearised): Promise<Plan> {
  const { graph, held, exponent } = linear;
  if (held.length === 0) {
    return { graph, shares: model.weights.map(() => null), reasons: [], flow: "", exponent };
  }
  const b = new GraphBuilder("held/", valueNames(graph));
  const sum = b.op(
    "Sum",
    held.map((value) => b.op("ReduceSum", [value], { keepdims: 0 })),
  );
  const constants = new Map([...graph.constants, ...b.constants]);
  return planOf(model, linear, { ...graph, constants, nodes: [...graph.nodes, ...b.nodes] }, sum);
}

/** Shares of the weights in `flow`, a scalar of `graph`. */
async function planOf(
  { model, weights, kernels, threads, constant }: FlowModel,
  { scaling, exponent, reasons }: Linearised,
  graph: Graph,
  flow: Value,
): Promise<Plan> {
  const parts = joined(graph, [...graph.nodes, ...scaling.nodes], scaling.constants, weights);
  const used = new Set(reachable(parts, [flow, exponent]).nodes);
  const linear = { ...graph, nodes: graph.nodes.filter((node) => used.has(node)) };
  const scales = scaling.nodes.filter((node) => used.has(node));
  const types = await typesOf({ ...model, graph: linear }, { threads, constant });
  const options = { loss: flow, by: weights, types, kernels, twice: false, prefix: "flow/" };
  const { graph: both, gradients, cut } = differentiate(linear, options);
  const b = new GraphBuilder("share/", valueNames(both));
  const why = weights.map((weight): string | null => {
    const lacking = reasons.incomplete(weight);
    if (lacking !== null) return lacking;
    const [missing] = cut.get(weight) ?? [];
    if (missing !== undefined) return `${missing.operator} "${missing.node}" passes no gradient: ${missing.reason}`;
    return gradients.has(weight) ? null : reasons.absent(weight);
  });
  const shares = weights.map((weight, i) => (why[i] === null ? b.mul(weight, gradients.get(weight)!) : null));
  const wanted = [flow, exponent, ...shares.filter((share) => share !== null)];
  const whole = joined(both, [...both.nodes, ...scales, ...b.nodes], scaling.constants, weights);
  return { graph: reachable(whole, wanted), shares, reasons: why, flow, exponent };
}

/** Types of all values of a linear model; for shapes that it computes it is run once, with ones as weights. */
async function typesOf(model: Model, options: Pick<FlowModel, "constant" | "threads">): Promise<ValueTypes> {
  const shapes = model.graph.inputs.map(({ name, shape }) => [name, shape as readonly number[]] as const);
  const inputShapes = new Map(shapes);
  const types = await valueTypes(model, inputShapes, options.threads);
  if ([...types.values()].every(({ shape }) => shape !== null)) return types;
  const { Tensor } = await onnxRuntime();
  const ones = shapes.map(([name, shape]) => {
    const elements = new Float32Array(elementCount(shape)).fill(1);
    return [name, new Tensor("float32", elements, shape)] as const;
  });
  return observedTypes(model, { ...options, inputShapes, feeds: Object.fromEntries(ones) }, types);
}

/** `graph` with all `nodes` in order; the scaling factors are no inputs any more. */
function joined(graph: Graph, nodes: readonly Node[], constants: Graph["constants"], weights: readonly Value[]): Graph {
  const all = new Map([...graph.constants, ...constants]);
  const given = new Set(weights);
  const inputs = graph.inputs.filter(({ name }) => given.has(name));
  const order = topologicalOrder(nodes, (name) => given.has(name) || all.has(name), "");
  return { ...graph, inputs, constants: all, nodes: order };
}
