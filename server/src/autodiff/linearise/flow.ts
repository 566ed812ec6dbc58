/**
 * The flow R of SynFlow's linear network and every weight's share in it, |w| · ∂R/∂|w|, by one session that serves all
 * rounds: weights are fed as magnitudes, 0 where they are pruned. All shares of one run have the same power of two as a
 * factor, which keeps them inside float32.
 */
import type * as Ort from "onnxruntime-node";
import { linearise } from "./linearise.js";
import { elementCount } from "../../graph/tensor.js";
import { Program } from "../../runtime/program.js";
import { onnxRuntime } from "../../runtime/session.js";
import { type FlowModel, heldPlan, type Plan, flowPlan } from "./plan.js";

export interface Shares {
  /** Share of each element in R · 2^−exponent; null for weights without a score. */
  readonly shares: readonly (Float32Array | null)[];
  /** R · 2^−exponent. */
  readonly flow: number;
  readonly exponent: number;
}

export class Flow {
  private constructor(
    readonly model: FlowModel,
    readonly plan: Plan,
    readonly program: Program | null,
    /** Why a weight has no score; null where it has one. */
    readonly reasons: readonly (string | null)[],
  ) {}

  /** @throws PruneScopeError with what ONNX Runtime does not take. */
  static async open(model: FlowModel): Promise<Flow> {
    const linear = linearise(model.model.graph, model.weights, model.types);
    const plan = await flowPlan(model, linear);
    const program = await programOf(model, plan);
    const whole = new Flow(model, plan, program, plan.reasons);
    if (program === null) return whole;
    try {
      const partial = await whole.#heldInPart(async () => {
        const held = await heldPlan(model, linear);
        return new Flow(model, held, await programOf(model, held), held.reasons);
      });
      const reasons = plan.reasons.map((reason, i) =>
        partial.has(i) ? `a part of it only feeds ${linear.reasons.held(model.weights[i]!) ?? "constants"}` : reason,
      );
      return new Flow(model, plan, program, reasons);
    } catch (error) {
      await program.close();
      throw error;
    }
  }

  /** Shares of weights with these magnitudes, one array a weight. */
  async run(magnitudes: readonly Float32Array[]): Promise<Shares> {
    const { plan, program, model, reasons } = this;
    if (program === null) return { shares: magnitudes.map(() => null), flow: 0, exponent: 0 };
    const { Tensor } = await onnxRuntime();
    const feeds: Record<string, Ort.Tensor> = {};
    model.weights.forEach((name, i) => {
      feeds[name] = new Tensor("float32", magnitudes[i]!, model.types.get(name)?.shape ?? []);
    });
    const made = await program.run(feeds);
    return {
      shares: plan.shares.map((share, i) =>
        share === null || reasons[i] !== null ? null : (made[share]!.data as Float32Array),
      ),
      flow: Number(made[plan.flow]!.data[0]),
      exponent: Number(made[plan.exponent]!.data[0]),
    };
  }

  /** Gives the session's memory back. */
  async close(): Promise<void> {
    await this.program?.close();
  }

  /**
   * Weights of which some elements act on R through held values only, as the query's part of a joint weight of query,
   * key and value does. Found with all weights at 1: an element without a share in R that has one in the held values.
   */
  async #heldInPart(openHeld: () => Promise<Flow>): Promise<Set<number>> {
    const ones = this.model.weights.map((name) =>
      new Float32Array(elementCount(this.model.types.get(name)?.shape ?? [])).fill(1),
    );
    const { shares } = await this.run(ones);
    if (!shares.some((share) => share?.includes(0) === true)) return new Set();
    const held = await openHeld();
    try {
      const parts = (await held.run(ones)).shares;
      const isPartial = (share: Float32Array, part: Float32Array): boolean =>
        share.some((element, at) => element === 0 && part[at] !== 0);
      return new Set(
        shares.flatMap((share, i) => {
          const part = parts[i] ?? null;
          return share !== null && part !== null && isPartial(share, part) ? [i] : [];
        }),
      );
    } finally {
      await held.close();
    }
  }
}

/** A session for a plan; null when no weight has a share. */
async function programOf({ model, threads, constant }: FlowModel, plan: Plan): Promise<Program | null> {
  const wanted = plan.shares.filter((share) => share !== null);
  if (wanted.length === 0) return null;
  const outputs = [plan.flow, plan.exponent, ...wanted];
  return Program.open(model, plan.graph, { outputs, inputShapes: new Map(), threads, optimise: true, constant });
}
