/**
 * A graph made into something that runs: a session for some of its values, with the constants that became inputs fed
 * from their files once and held.
 */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Constant, Graph, Model } from "../graph/graph.js";
import { encodeModel } from "./encode.js";
import { openSession, runtimeError } from "./session.js";

export type Feeds = Readonly<Record<string, Ort.Tensor>>;

export interface ProgramOptions {
  /** Values to compute. */
  readonly outputs: readonly string[];
  /** Shapes of inputs whose axes are dynamic. */
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
  readonly threads: number;
  /** Whether the graph is optimised: worth it for what runs more than once. */
  readonly optimise: boolean;
  /** Elements of a constant that is too large to lie in the encoded graph. */
  readonly constant: (constant: Constant) => Promise<Ort.Tensor>;
}

export class Program {
  readonly #session: Ort.InferenceSession;
  readonly #held: Feeds;
  readonly #inputs: ReadonlySet<string>;

  private constructor(session: Ort.InferenceSession, held: Feeds) {
    this.#session = session;
    this.#held = held;
    this.#inputs = new Set(session.inputNames);
  }

  /** Opens `graph` of `model`. @throws PruneScopeError with what ONNX Runtime does not take. */
  static async open(model: Model, graph: Graph, options: ProgramOptions): Promise<Program> {
    const { outputs, inputShapes, threads, optimise } = options;
    const { bytes, lifted } = encodeModel(
      { ...model, graph: { ...graph, outputs: [] } },
      { extraOutputs: [...new Set(outputs)], inputShapes },
    );
    const held: Record<string, Ort.Tensor> = {};
    for (const [name, constant] of lifted) held[name] = await options.constant(constant);
    return new Program(await openSession(bytes, { threads, optimise }), held);
  }

  /**
   * Runs it and gives the values `wanted`, all outputs when it is absent. Feeds that nothing needs are left out.
   * @throws PruneScopeError `missing-data` for an input that is not fed, else what ONNX Runtime says.
   */
  async run(feeds: Feeds, wanted?: readonly string[]): Promise<Feeds> {
    const given: Record<string, Ort.Tensor> = { ...this.#held };
    for (const [name, tensor] of Object.entries(feeds)) if (this.#inputs.has(name)) given[name] = tensor;
    for (const name of this.#inputs)
      if (given[name] === undefined)
        throw new PruneScopeError("missing-data", `There is no data for input "${name}".`, { value: name });
    try {
      return await (wanted === undefined ? this.#session.run(given) : this.#session.run(given, [...new Set(wanted)]));
    } catch (error) {
      throw runtimeError(error);
    }
  }

  /** Gives the session's memory back. */
  async close(): Promise<void> {
    await this.#session.release();
  }
}
