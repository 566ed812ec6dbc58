/** What the bytes of an element type mean: numbers from bytes and back, integers by their scale and zero point. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { DType } from "../../protocol/model.js";
import { float16ToNumber, numberToBfloat16, numberToFloat16 } from "../graph/float16.js";
import type { Constant } from "../graph/graph.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { elementCount } from "../graph/tensor.js";
import type { Source } from "./source.js";

/** What is known of a tensor whose elements are opened. */
export type StoredTensor = Pick<PrunableWeight, "id" | "name" | "tensor" | "size" | "shape" | "dequantisation">;

let table: Float32Array | undefined;
/** The number of every pattern of float16. */
const float16Table = (): Float32Array =>
  (table ??= Float32Array.from({ length: 65536 }, (_, bits) => float16ToNumber(bits)));

/** Decodes `count` little-endian elements of `bytes`, whose byteOffset is a multiple of 8. */
export function decode(
  source: Source,
  weight: StoredTensor,
  bytes: Uint8Array,
  start: number,
  count: number,
  out: Float32Array | Float64Array,
): void {
  const { buffer, byteOffset } = bytes;
  switch (weight.tensor.dtype) {
    case "float":
      out.set(new Float32Array(buffer, byteOffset, count));
      return;
    case "double":
      out.set(new Float64Array(buffer, byteOffset, count));
      return;
    case "float16": {
      const table = float16Table();
      const bits = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) out[i] = table[bits[i]!]!;
      return;
    }
    case "bfloat16": {
      const bits = new Uint16Array(buffer, byteOffset, count);
      const word = new Uint32Array(1);
      const value = new Float32Array(word.buffer);
      for (let i = 0; i < count; i++) {
        word[0] = bits[i]! << 16;
        out[i] = value[0]!;
      }
      return;
    }
    default:
      dequantise(affineCode(source, weight), weight.tensor.dtype === "int8", bytes, start, count, out);
  }
}

/**
 * Writes numbers as little-endian elements, rounded to the nearest (ties to even).
 * @throws PruneScopeError `unsupported-op` for codes, `non-finite` where the type cannot hold a value.
 */
export function encode({ name, tensor }: StoredTensor, bytes: Uint8Array, values: Float64Array): void {
  const { buffer, byteOffset } = bytes;
  const { dtype } = tensor;
  const out =
    dtype === "float"
      ? new Float32Array(buffer, byteOffset, values.length)
      : dtype === "double"
        ? new Float64Array(buffer, byteOffset, values.length)
        : null;
  if (out !== null) out.set(values);
  else if (dtype === "float16" || dtype === "bfloat16") {
    const bits = new Uint16Array(buffer, byteOffset, values.length);
    const convert = dtype === "float16" ? numberToFloat16 : numberToBfloat16;
    for (let i = 0; i < values.length; i++) bits[i] = convert(values[i]!);
  } else {
    throw new PruneScopeError("unsupported-op", `"${name}" has ${dtype} elements, which hold codes and no numbers.`, {
      file: tensor.path,
      value: name,
    });
  }
  const limit = overflow[dtype] ?? Infinity;
  const lost = values.find((value) => !(Math.abs(value) < limit));
  if (lost !== undefined) {
    throw new PruneScopeError("non-finite", `"${name}" would hold ${lost}, which ${dtype} has no number for.`, {
      file: tensor.path,
      value: name,
    });
  }
}

/** From here on numbers round to infinity. */
const overflow: Readonly<Partial<Record<DType, number>>> = {
  float: (2 - 2 ** -24) * 2 ** 127,
  float16: 65520,
  bfloat16: (2 - 2 ** -8) * 2 ** 127,
};

export interface AffineCode {
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  /** Channel of element i: floor(i / inner) % channels. */
  readonly inner: number;
}

const codes = new WeakMap<StoredTensor, AffineCode>();

export function affineCode(source: Source, weight: StoredTensor): AffineCode {
  const known = codes.get(weight);
  if (known !== undefined) return known;
  const { dequantisation, shape } = weight;
  if (dequantisation === null) throw new Error(`${weight.id} has ${weight.tensor.dtype} elements and no scale`);
  const { scale, zeroPoint, axis } = dequantisation;
  const scales = numbersOf(source, scale);
  const points = zeroPoint === null ? [] : numbersOf(source, zeroPoint);
  const code: AffineCode = {
    scale: Float32Array.from(scales),
    zeroPoint: Int32Array.from(scales, (_, i) => points[points.length === 1 ? 0 : i] ?? 0),
    inner: elementCount(shape.slice(axis + 1)),
  };
  if (code.scale.length !== 1 && code.scale.length !== shape[axis]) {
    throw new PruneScopeError(
      "malformed-model",
      `"${weight.name}" has ${code.scale.length} scales for an axis of ${shape[axis] ?? 0}.`,
      {
        value: weight.name,
      },
    );
  }
  codes.set(weight, code);
  return code;
}

/** The numbers of a scale or zero point, which the graph holds unless there are very many. */
function numbersOf(source: Source, { inline, tensor }: Constant): number[] {
  const bytes = inline === null ? new Uint8Array(tensor.length) : Uint8Array.from(inline);
  if (inline === null) source.read(tensor.path, tensor.offset, bytes);
  const { buffer } = bytes;
  switch (tensor.dtype) {
    case "int8":
      return [...new Int8Array(buffer)];
    case "uint8":
      return [...bytes];
    case "float16":
      return [...new Uint16Array(buffer)].map((bits) => float16Table()[bits]!);
    case "float":
      return [...new Float32Array(buffer)];
    default:
      throw new Error(`a scale of ${tensor.dtype} was let through`);
  }
}

function dequantise(
  { scale, zeroPoint, inner }: AffineCode,
  signed: boolean,
  bytes: Uint8Array,
  start: number,
  count: number,
  out: Float32Array | Float64Array,
): void {
  const channels = scale.length;
  for (let i = 0; i < count; i++) {
    const channel = channels === 1 ? 0 : Math.floor((start + i) / inner) % channels;
    const byte = bytes[i]!;
    out[i] = Math.fround(((signed ? (byte << 24) >> 24 : byte) - zeroPoint[channel]!) * scale[channel]!);
  }
}
