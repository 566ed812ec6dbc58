/** Computes values in ONNX Runtime that are the same for every sample: conditions of branches, and what follows from shapes. */
import type * as Ort from "onnxruntime-node";
import type { Constant, Model } from "../graph/graph.js";
import type { EvaluateShapes } from "../graph/fold-shapes.js";
import { literal, type LiteralType } from "../graph/literal.js";
import { reachable } from "../graph/reachable.js";
import { type Feeds, Program, type ProgramOptions } from "./program.js";

/** What values are computed from: the inputs, and how large constants are read. */
export interface Circumstances extends Pick<ProgramOptions, "constant" | "inputShapes" | "threads"> {
  readonly feeds: Feeds;
}

/** Computes `outputs` of the main graph. What they do not need is not run. */
export async function fixedValues(
  model: Model,
  outputs: readonly string[],
  { feeds, ...options }: Circumstances,
): Promise<ReadonlyMap<string, Ort.Tensor>> {
  if (outputs.length === 0) return new Map();
  const program = await Program.open(model, reachable(model.graph, outputs), {
    ...options,
    outputs,
    // With bound shapes most of this is folded into constants, and the network itself does not run.
    optimise: true,
  });
  try {
    return new Map(Object.entries(await program.run(feeds)));
  } finally {
    await program.close();
  }
}

/** Evaluates what follows from shapes, for inputs like the given ones. */
export function shapeRunner(circumstances: Circumstances): EvaluateShapes {
  return async (model, values) => {
    const found = new Map<string, Constant>();
    for (const [name, { type, dims, data }] of await fixedValues(model, values, circumstances)) {
      const dtype = wholeNumbers.find((one) => one === type);
      if (dtype !== undefined && data.length <= maxElements)
        found.set(name, literal(name, dtype, dims, Array.from(data as ArrayLike<bigint>, Number)));
    }
    return found;
  };
}

/** Most elements of a value that becomes a constant: shapes have few, masks of attention have this many. */
const maxElements = 1 << 16;

/** Element types that shapes, axes and bounds have. */
const wholeNumbers: readonly LiteralType[] = ["bool", "int32", "int64"];
