/**
 * Which weights of a pruned network still work: those on a path from an input to an output on which no factor is 0. The
 * network of paths is linear, so a weight lies on such a path exactly where it is kept and the flow R depends on it; both
 * are computed by ONNX Runtime in zeros and ones, one session for all masks.
 */
import type * as Ort from "onnxruntime-node";
import type { Value } from "../../graph/builder.js";
import type { Graph } from "../../graph/graph.js";
import { reachable } from "../../graph/reachable.js";
import { elementCount } from "../../graph/tensor.js";
import { plainKernels } from "../../runtime/kernels.js";
import { Program } from "../../runtime/program.js";
import { onnxRuntime } from "../../runtime/session.js";
import { type Linearised, linearise } from "../linearise/linearise.js";
import { type FlowModel, flowPlan, heldPlan, type Plan } from "../linearise/plan.js";
import type { Trainable } from "../trainable.js";
import { type Counted, counted } from "./counted.js";
import { pathForm } from "./form.js";
import { flagOf, masked, mixing, type Place } from "./masked.js";

/** A flat model whose weights are inputs. */
export interface LiveInput extends Pick<Trainable, "model" | "types" | "weights" | "reasons"> {
  readonly threads: number;
  readonly constant: FlowModel["constant"];
}

/** One flag per element and weight, 1 where it is kept and not 0; weights without a place in the network are not read. */
export type KeepFlags = readonly Uint8Array[];

/** What a mask leaves. */
export interface Live {
  /** Whether any path leads from an input to an output. */
  readonly flows: boolean;
  /** Elements of each weight on such paths; null for a weight that is not followed. */
  readonly effective: readonly (number | null)[];
  /**
   * The same, and also of weights whose other elements act in other ways than by paths: 0 for those that only feed gates,
   * what is on a path for those that feed gates in part. Null where not even that is known.
   */
  readonly onPaths: readonly (number | null)[];
}

export class LiveNetwork {
  #forward: Program | null = null;
  #both: Program | null = null;
  readonly #counted: Counted;

  private constructor(
    readonly input: LiveInput,
    readonly places: readonly Place[],
    readonly plan: Plan,
    readonly graph: Graph,
    /** Why paths through a weight cannot be followed; null where they can. */
    readonly reasons: readonly (string | null)[],
    /** Why paths end where they do not in the model: without any, no flow means that nothing gets through. */
    readonly gaps: readonly string[],
    /** Weights that the model computes with: what comes of them counts as a factor that is not 0, whatever the mask. */
    readonly fixed: ReadonlySet<number>,
    /** Weights that only feed what is held constant. */
    readonly beside: ReadonlySet<number>,
  ) {
    this.#counted = counted(graph, plan, places, fixed);
  }

  /** Prepares the network; sessions are made when they are first needed. @throws PruneScopeError with what ONNX Runtime does not take. */
  static async open(input: LiveInput): Promise<LiveNetwork> {
    const places = input.weights.flatMap((value, index): Place[] =>
      value === null ? [] : [{ index, value, shape: input.types.get(value)?.shape ?? [] }],
    );
    const model: FlowModel = { ...input, weights: places.map(({ value }) => value), kernels: plainKernels };
    const linear = linearise(input.model.graph, model.weights, input.types, pathForm);
    const plan = await flowPlan(model, linear);
    const graph = masked(plan.graph, input.model.graph, input.types, places);
    const mixed = mixing(input.model.graph, plan.graph, input.types, model.weights).reasons;
    const partial = await partlyHeld(input, places, model, linear, plan, graph);
    const reasons = [...input.reasons];
    places.forEach(({ index, value }, at) => {
      const held = partial.has(at) ? `a part of it only feeds ${linear.reasons.held(value) ?? "constants"}` : null;
      reasons[index] = plan.reasons[at] ?? mixed.get(value) ?? held;
    });
    const fixed = new Set(places.flatMap(({ index, value }) => (mixed.has(value) ? [index] : [])));
    const beside = places.flatMap(({ index, value }, at) => {
      const held = linear.reasons.held(value) !== null && plan.reasons[at] === linear.reasons.absent(value);
      return held ? [index] : [];
    });
    return new LiveNetwork(input, places, plan, graph, reasons, linear.reasons.gaps, fixed, new Set(beside));
  }

  /** Whether R is there at all: some output has a linear form. */
  get hasFlow(): boolean {
    return this.plan.flow !== "";
  }

  /** Whether any path leads from an input to an output under a mask. */
  async flows(keep: KeepFlags): Promise<boolean> {
    if (!this.hasFlow) return false;
    this.#forward ??= await open(this.input, this.graph, [this.plan.flow]);
    const made = await this.#forward.run(await feeds(this.places, keep));
    return Number(made[this.plan.flow]!.data[0]) > 0;
  }

  /** What is left of each weight under a mask. */
  async live(keep: KeepFlags): Promise<Live> {
    const { graph, counts } = this.#counted;
    if (counts.size === 0) {
      const none = this.reasons.map(() => null);
      return { flows: await this.flows(keep), effective: none, onPaths: none };
    }
    this.#both ??= await open(this.input, graph, [this.plan.flow, ...counts.values()]);
    const made = await this.#both.run(await feeds(this.places, keep));
    const onPaths = this.reasons.map((_, index) => {
      const count = counts.get(index);
      if (count === undefined) return this.beside.has(index) ? 0 : null;
      return Number(made[count]!.data[0]);
    });
    return {
      flows: Number(made[this.plan.flow]!.data[0]) > 0,
      effective: onPaths.map((count, index) => (this.reasons[index] === null ? count : null)),
      onPaths,
    };
  }

  /** Gives the memory of the sessions back. */
  async close(): Promise<void> {
    await this.#forward?.close();
    await this.#both?.close();
  }
}

function open({ model, threads, constant }: LiveInput, graph: Graph, outputs: readonly Value[]): Promise<Program> {
  const part = reachable(graph, outputs);
  return Program.open(model, part, { outputs, inputShapes: new Map(), threads, optimise: true, constant });
}

async function feeds(places: readonly Place[], keep: KeepFlags): Promise<Record<string, Ort.Tensor>> {
  const { Tensor } = await onnxRuntime();
  return Object.fromEntries(
    places.map(({ index, value, shape }) => [flagOf(value), new Tensor("bool", keep[index]!, shape)]),
  );
}

/**
 * Places of weights of which some elements act through held values only, as the query's part of a joint weight of query,
 * key and value does: with all weights kept they have no path, and one to what is held.
 */
async function partlyHeld(
  input: LiveInput,
  places: readonly Place[],
  model: FlowModel,
  linear: Linearised,
  plan: Plan,
  graph: Graph,
): Promise<Set<number>> {
  const held = await heldPlan(model, linear);
  const concerned = places.flatMap((_, at) => {
    const [share, part] = [plan.shares[at] ?? null, held.shares[at] ?? null];
    return share === null || part === null ? [] : [{ at, share, part }];
  });
  if (concerned.length === 0) return new Set();
  const ones = input.weights.map((value) =>
    new Uint8Array(elementCount(input.types.get(value ?? "")?.shape ?? [])).fill(1),
  );
  const heldGraph = masked(held.graph, input.model.graph, input.types, places);
  const flags = await feeds(places, ones);
  const shares = await runOnce(
    input,
    graph,
    concerned.map(({ share }) => share),
    flags,
  );
  const parts = await runOnce(
    input,
    heldGraph,
    concerned.map(({ part }) => part),
    flags,
  );
  return new Set(
    concerned.flatMap(({ at }, i) => (shares[i]!.some((one, k) => one === 0 && parts[i]![k] !== 0) ? [at] : [])),
  );
}

async function runOnce(
  input: LiveInput,
  graph: Graph,
  values: readonly Value[],
  flags: Record<string, Ort.Tensor>,
): Promise<Float32Array[]> {
  const program = await open(input, graph, values);
  try {
    const made = await program.run(flags);
    return values.map((value) => made[value]!.data as Float32Array);
  } finally {
    await program.close();
  }
}
