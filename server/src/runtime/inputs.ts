/**
 * Something to run a model on when nobody gave data: dynamic axes get a length, and inputs get seeded values that
 * respect their type. What was fed is said in words beside every result.
 */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Dim } from "../../protocol/model.js";
import type { DynamicAxes } from "../../protocol/requests.js";
import { float16Array } from "../graph/float16.js";
import type { ValueInfo } from "../graph/graph.js";
import { elementCount } from "../graph/tensor.js";
import { onnxRuntime } from "./session.js";

/** Most elements of one synthetic input: a wrong guess of a shape must not fill the memory. */
const maxElements = 1 << 26;

/**
 * Length of a dynamic axis: what the settings say of its name or of `input:axis`; else 1 for the first axis, 224 for
 * height and width of an image-like input, 512 for a sequence of samples, 16 for any other.
 */
export function boundShape(input: ValueInfo, axes: DynamicAxes): number[] | null {
  const { shape } = input;
  if (shape === null) return null;
  const rank = shape.length;
  return shape.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    const given = (dim === null ? undefined : axes[dim]) ?? axes[`${input.name}:${axis}`];
    if (given !== undefined) return given;
    if (axis === 0 || /batch|^n$/i.test(dim ?? "")) return 1;
    if (rank === 4 && (axis >= 2 || (axis === 1 && isChannel(shape[3] ?? null))))
      return axis === 3 && isChannel(dim) ? 3 : 224;
    return rank === 2 && input.dtype === "float" ? 512 : rank === 3 && input.dtype === "float" && axis === 1 ? 1 : 16;
  });
}

const isChannel = (dim: Dim): boolean => dim === 1 || dim === 3 || dim === 4;

/** Shapes of all inputs once dynamic axes are bound; inputs without a known rank are left out. */
export function boundShapes(inputs: readonly ValueInfo[], axes: DynamicAxes): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const input of inputs) {
    const shape = boundShape(input, axes);
    if (shape !== null) shapes.set(input.name, shape);
  }
  return shapes;
}

/** Synthetic inputs: a feed for ONNX Runtime, and what it is in words. */
export interface SyntheticInput {
  readonly feeds: Record<string, Ort.Tensor>;
  readonly words: string;
}

/**
 * Seeded inputs: standard normal where elements are floats, 0 or 1 where they are integers (valid as an index almost
 * anywhere), 16000 for a scalar sample rate.
 * @throws PruneScopeError `unsupported-op` for an input that is no tensor, `shape-mismatch` for one too large to make up.
 */
export async function syntheticInput(
  inputs: readonly ValueInfo[],
  axes: DynamicAxes,
  seed: number,
): Promise<SyntheticInput> {
  const ort = await onnxRuntime();
  const random = uniform(seed);
  const feeds: Record<string, Ort.Tensor> = {};
  const words: string[] = [];
  for (const input of inputs) {
    const shape = boundShape(input, axes) ?? [];
    const count = elementCount(shape);
    if (count > maxElements) {
      throw new PruneScopeError(
        "shape-mismatch",
        `Input "${input.name}" would have ${count} elements. Set the lengths of its dynamic axes.`,
        {
          value: input.name,
        },
      );
    }
    const sampleRate = count === 1 && /^(sr|sample_?rate|sampling_?rate)$/i.test(input.name);
    const integer = (): number => (sampleRate ? 16000 : random() < 0.5 ? 0 : 1);
    const fill = <T>(make: () => T): T[] => Array.from({ length: count }, make);
    switch (input.dtype) {
      case "float":
        feeds[input.name] = new ort.Tensor(
          "float32",
          Float32Array.from({ length: count }, () => normal(random)),
          shape,
        );
        break;
      case "double":
        feeds[input.name] = new ort.Tensor(
          "float64",
          Float64Array.from({ length: count }, () => normal(random)),
          shape,
        );
        break;
      case "float16":
        feeds[input.name] = new ort.Tensor("float16", float16Data(count, random), shape);
        break;
      case "int64":
        feeds[input.name] = new ort.Tensor("int64", BigInt64Array.from(fill(() => BigInt(integer()))), shape);
        break;
      case "int32":
        feeds[input.name] = new ort.Tensor("int32", Int32Array.from(fill(integer)), shape);
        break;
      case "uint8":
        feeds[input.name] = new ort.Tensor("uint8", Uint8Array.from(fill(() => Math.floor(random() * 256))), shape);
        break;
      case "int8":
        feeds[input.name] = new ort.Tensor("int8", Int8Array.from(fill(integer)), shape);
        break;
      case "bool":
        feeds[input.name] = new ort.Tensor("bool", Uint8Array.from(fill(integer)), shape);
        break;
      default:
        throw new PruneScopeError(
          "unsupported-op",
          `Input "${input.name}" has elements of type ${input.type ?? input.dtype}, which cannot be made up.`,
          {
            value: input.name,
          },
        );
    }
    words.push(`${input.name} ${input.dtype}[${shape.join(", ")}]`);
  }
  return { feeds, words: `synthetic values (seed ${seed}) for ${words.join(", ")}` };
}

/** Seeded numbers, uniform in [0, 1): Mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal, by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** float16 values in [0.5, 1) with random signs, made as bits: no rounding is needed there. */
function float16Data(count: number, random: () => number): Uint16Array {
  return float16Array(
    Uint16Array.from({ length: count }, () => 0x3800 | Math.floor(random() * 1024) | (random() < 0.5 ? 0x8000 : 0)),
  );
}
