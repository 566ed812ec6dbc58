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
 * One run's seeded inputs, as {@link syntheticValues} makes them.
 * @param bounds by input, what its whole numbers are below.
 * @throws PruneScopeError as {@link syntheticValues} does.
 */
export async function syntheticInput(
  inputs: readonly ValueInfo[],
  axes: DynamicAxes,
  seed: number,
  bounds: ReadonlyMap<string, number> = new Map(),
): Promise<SyntheticInput> {
  const ort = await onnxRuntime();
  const random = uniform(seed);
  const feeds: Record<string, Ort.Tensor> = {};
  const words: string[] = [];
  for (const input of inputs) {
    const shape = boundShape(input, axes) ?? [];
    const bound = bounds.get(input.name);
    const { type, data } = syntheticValues(input, shape, random, bound);
    feeds[input.name] = new ort.Tensor(type, (type === "float16" ? float16Array(data) : data) as Float32Array, shape);
    words.push(`${input.name} ${input.dtype}[${shape.join(", ")}]${bound === undefined ? "" : ` below ${bound}`}`);
  }
  return { feeds, words: `synthetic values (seed ${seed}) for ${words.join(", ")}` };
}

type SyntheticData =
  | { readonly type: "float32"; readonly data: Float32Array<ArrayBuffer> }
  | { readonly type: "float64"; readonly data: Float64Array<ArrayBuffer> }
  | { readonly type: "float16"; readonly data: Uint16Array<ArrayBuffer> }
  | { readonly type: "int64"; readonly data: BigInt64Array<ArrayBuffer> }
  | { readonly type: "int32"; readonly data: Int32Array<ArrayBuffer> }
  | { readonly type: "uint8" | "bool"; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly type: "int8"; readonly data: Int8Array<ArrayBuffer> };

/**
 * Elements for one input: standard normal where they are floats; where they are integers, or floats with a `bound`, whole
 * numbers uniform in [0, `bound`), which is [0, 2) by default (valid as an index almost anywhere); 1 in a mask, so that nothing is masked; 16000 for a scalar
 * sample rate.
 * @param bound number of rows of the table that the input is an index into.
 * @throws PruneScopeError `unsupported-op` for an input that is no tensor, `shape-mismatch` for one too large to make up.
 */
export function syntheticValues(
  input: ValueInfo,
  shape: readonly number[],
  random: () => number,
  bound?: number,
): SyntheticData {
  const count = elementCount(shape);
  if (count > maxElements) {
    throw new PruneScopeError(
      "shape-mismatch",
      `Input "${input.name}" would have ${count} elements. Use fewer samples, or set the lengths of its dynamic axes.`,
      { value: input.name },
    );
  }
  const sampleRate = count === 1 && /^(sr|sample_?rate|sampling_?rate)$/i.test(input.name);
  const mask = /mask/i.test(input.name);
  const integer = (): number => (sampleRate ? 16000 : mask ? 1 : Math.floor(random() * (bound ?? 2)));
  const length = { length: count };
  switch (input.dtype) {
    case "float":
      return {
        type: "float32",
        data: Float32Array.from(length, () => (bound === undefined ? normal(random) : integer())),
      };
    case "double":
      return { type: "float64", data: Float64Array.from(length, () => normal(random)) };
    case "float16":
      return { type: "float16", data: float16Data(count, random) };
    case "int64":
      return { type: "int64", data: BigInt64Array.from(Array.from(length, () => BigInt(integer()))) };
    case "int32":
      return { type: "int32", data: Int32Array.from(length, integer) };
    case "uint8":
      return { type: "uint8", data: Uint8Array.from(length, () => Math.floor(random() * 256)) };
    case "int8":
      return { type: "int8", data: Int8Array.from(length, integer) };
    case "bool":
      return { type: "bool", data: Uint8Array.from(length, integer) };
    default:
      throw new PruneScopeError(
        "unsupported-op",
        `Input "${input.name}" has elements of type ${input.type ?? input.dtype}, which cannot be made up.`,
        { value: input.name },
      );
  }
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

/** Bits of float16 values in [0.5, 1) with random signs: no rounding is needed there. */
function float16Data(count: number, random: () => number): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(
    { length: count },
    () => 0x3800 | Math.floor(random() * 1024) | (random() < 0.5 ? 0x8000 : 0),
  );
}
