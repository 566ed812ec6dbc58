/** Runs two models on the same input and compares what comes out. One session is open at a time. */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { VerifyReport } from "../../protocol/report.js";
import { float16Bits, float16ToNumber } from "../graph/float16.js";
import { openSession, runtimeError } from "./session.js";

/** Outputs of the model at `path`. */
export async function run(
  path: string,
  feeds: Record<string, Ort.Tensor>,
  threads: number,
): Promise<Map<string, Ort.Tensor>> {
  const session = await openSession(path, { threads, optimise: true });
  try {
    return new Map(Object.entries(await session.run(feeds)));
  } catch (error) {
    throw error instanceof PruneScopeError ? error : runtimeError(error, path);
  } finally {
    await session.release();
  }
}

/** Differences of the numeric outputs that both models have, in the order of the first. */
export function compareOutputs(
  original: ReadonlyMap<string, Ort.Tensor>,
  pruned: ReadonlyMap<string, Ort.Tensor>,
): VerifyReport["outputs"] {
  const result: VerifyReport["outputs"][number][] = [];
  for (const [name, a] of original) {
    const b = pruned.get(name);
    if (b === undefined)
      throw new PruneScopeError("shape-mismatch", `The pruned model has no output "${name}".`, { value: name });
    if (a.type === "string") continue;
    const shape = [...a.dims];
    // Shapes that depend on data (detections, say) may differ by right.
    const difference = a.dims.join() === b.dims.join() ? differenceOf(numbers(a), numbers(b)) : incomparable;
    result.push({ name, shape, ...difference, maxOriginal: largest(numbers(a)) });
  }
  return result;
}

const incomparable = { maxDifference: null, meanDifference: null } as const;

function differenceOf(
  x: Float64Array,
  y: Float64Array,
): { maxDifference: number | null; meanDifference: number | null } {
  let max = 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const a = x[i]!;
    const b = y[i]!;
    if (Object.is(a, b) || a === b) continue;
    const difference = Math.abs(a - b);
    if (!Number.isFinite(difference)) return incomparable;
    max = Math.max(max, difference);
    sum += difference;
  }
  return { maxDifference: max, meanDifference: x.length === 0 ? 0 : sum / x.length };
}

/** Largest finite magnitude. */
function largest(values: Float64Array): number {
  let max = 0;
  for (const value of values) if (Number.isFinite(value)) max = Math.max(max, Math.abs(value));
  return max;
}

function numbers(tensor: Ort.Tensor): Float64Array {
  const { data } = tensor;
  if (tensor.type === "float16" && ArrayBuffer.isView(data))
    return Float64Array.from(float16Bits(data), float16ToNumber);
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}
