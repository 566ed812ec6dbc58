/**
 * The flow R of SynFlow's linear network and every weight's share in it, |w| · ∂R/∂|w|, by one session that serves all
 * rounds: weights are fed as magnitudes, 0 where they are pruned. All shares of one run have the same power of two as a
 * factor, which keeps them inside float32.
 */
import type * as Ort from "onnxruntime-node";
import { differentiate } from "../../autodiff/differentiate.js";
import { linearise, type Linearised } from "../../autodiff/linearise/linearise.js";

import { GraphBuilder, type Value } from "../../graph/builder.js";
import type { Constant, Graph, Model, Node, ValueInfo } from "../../graph/graph.js";
import { reachable } from "../../graph/reachable.js";
import { valueNames } from "../../graph/rebuild.js";
import { topologicalOrder } from "../../graph/traversal.js";
import type { ValueTypes } from "../../graph/value-type.js";
import type { Kernels } from "../../runtime/kernels.js";
import { Program } from "../../runtime/program.js";
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

export interface Shares {
  /** Share of each element in R · 2^−exponent; null for weights without a score. */
  readonly shares: readonly (Float32Array | null)[];
  /** R · 2^−exponent. */
  readonly flow: number;
  readonly exponent: number;
}

interface Plan {
  readonly graph: Graph;
  /** Value of each weight's shares; null where it has none. */
  readonly shares: readonly (Value | null)[];
  readonly flow: Value;
  readonly exponent: Value;
}

export class Flow {
  private constructor(
    /** Why a weight has no score; null where it has one. */
    readonly reasons: readonly (string | null)[],
    readonly plan: Plan | null,
    readonly model: FlowModel,
    readonly program: Program | null,
  ) {}

  /** @throws PruneScopeError with what ONNX Runtime does not take. */
  static async open(model: FlowModel): Promise<Flow> {
    const linear = linearise(model.model.graph, model.weights, model.types);
    const { plan, reasons } = await planOf(model, linear);
    if (plan === null || plan.shares.every((share) => share === null)) return new Flow(reasons, null, model, null);
    const program = await Program.open(model.model, plan.graph, {
      outputs: [plan.flow, plan.exponent, ...plan.shares.filter((share) => share !== null)],
      inputShapes: new Map(),
      threads: model.threads,
      optimise: true,
      constant: model.constant,
    });
    return new Flow(reasons, plan, model, program);
  }

  /** Shares of weights with these magnitudes, one array a weight. */
  async run(magnitudes: readonly Float32Array[]): Promise<Shares> {
    const { plan, program, model } = this;
    if (plan === null || program === null) return { shares: magnitudes.map(() => null), flow: 0, exponent: 0 };
    const { Tensor } = await onnxRuntime();
    const feeds: Record<string, Ort.Tensor> = {};
    model.weights.forEach((name, i) => {
      feeds[name] = new Tensor("float32", magnitudes[i]!, model.types.get(name)?.shape ?? []);
    });
    const made = await program.run(feeds);
    return {
      shares: plan.shares.map((share) => (share === null ? null : (made[share]!.data as Float32Array))),
      flow: Number(made[plan.flow]!.data[0]),
      exponent: Number(made[plan.exponent]!.data[0]),
    };
  }

  /** Gives the session's memory back. */
  async close(): Promise<void> {
    await this.program?.close();
  }
}

/** The graph that computes all shares, and why weights have none. */
async function planOf(
  { model, weights, kernels, threads }: FlowModel,
  { graph, scaling, flow, exponent, reasons }: Linearised,
): Promise<{ readonly plan: Plan | null; readonly reasons: readonly (string | null)[] }> {
  if (flow === null)
    return { plan: null, reasons: weights.map((weight) => reasons.incomplete(weight) ?? reasons.absent(weight)) };
  const linear = reachable(graph, [flow]);
  const shapes = new Map(linear.inputs.map(({ name, shape }) => [name, shape as readonly number[]]));
  const types = await valueTypes({ ...model, graph: linear }, shapes, threads);
  const {
    graph: both,
    gradients,
    cut,
  } = differentiate(linear, {
    loss: flow,
    by: weights,
    types,
    kernels,
    twice: false,
    prefix: "flow/",
  });
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
  const whole = joined(both, [...both.nodes, ...scaling.nodes, ...b.nodes], scaling.constants, weights);
  return { plan: { graph: reachable(whole, wanted), shares, flow, exponent }, reasons: why };
}

/** `graph` with all `nodes` in order; what was an input and is made by one of them now is no input any more. */
function joined(graph: Graph, nodes: readonly Node[], constants: Graph["constants"], weights: readonly Value[]): Graph {
  const all = new Map([...graph.constants, ...constants]);
  const given = new Set(weights);
  const inputs: ValueInfo[] = graph.inputs.filter(({ name }) => given.has(name));
  const order = topologicalOrder(nodes, (name) => given.has(name) || all.has(name), "");
  return { ...graph, inputs, constants: all, nodes: order };
}
