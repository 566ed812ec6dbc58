/** Elements of a tensor in another order: transposed, cut, put together, whatever their type is. */
import type { DType } from "../../protocol/model.js";
import { byteLength, elementCount } from "./tensor.js";

/** Elements as words of their width: what they mean does not matter. */
export type Elements =
  BigUint64Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Places along one axis: `count` of them, `step` apart. */
export interface AxisRange {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

type Words = new (length: number) => Elements;

const words: Readonly<Record<number, new (buffer: ArrayBuffer) => Elements>> = {
  1: Uint8Array,
  2: Uint16Array,
  4: Uint32Array,
  8: BigUint64Array,
};

/** Room for `length` elements of the same width. */
const room = (elements: Elements, length: number): Elements => new (elements.constructor as Words)(length);

export const elementsMoved = {
  /** Raw bytes as elements; null for a type whose elements are no whole bytes. */
  of(dtype: DType, bytes: Uint8Array): Elements | null {
    const width = byteLength(dtype, 1);
    const Array = width === null || byteLength(dtype, 8) !== 8 * width ? undefined : words[width];
    if (Array === undefined) return null;
    const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
    return new Array(whole ? bytes.buffer : Uint8Array.from(bytes).buffer);
  },

  /** `elements` of a tensor of `shape` with its axes in the order `perm`. */
  transposed(elements: Elements, shape: readonly number[], perm: readonly number[]): Elements {
    const strides = stridesOf(shape);
    return gathered(
      elements,
      0,
      perm.map((axis) => shape[axis]!),
      perm.map((axis) => strides[axis]!),
    );
  },

  /** The part of a tensor of `shape` that lies in a range along each axis. */
  sliced(elements: Elements, shape: readonly number[], ranges: readonly AxisRange[]): Elements {
    const strides = stridesOf(shape);
    const first = ranges.reduce((sum, { start }, axis) => sum + start * strides[axis]!, 0);
    return gathered(
      elements,
      first,
      ranges.map(({ count }) => count),
      ranges.map(({ step }, axis) => step * strides[axis]!),
    );
  },

  /** Tensors put one behind the other along `axis`. */
  joined(parts: readonly { readonly elements: Elements; readonly shape: readonly number[] }[], axis: number): Elements {
    const lines = parts.map(({ elements, shape }) => ({ elements, length: elementCount(shape.slice(axis)) }));
    const outer = elementCount(parts[0]!.shape.slice(0, axis));
    const result = room(
      parts[0]!.elements,
      parts.reduce((sum, { elements }) => sum + elements.length, 0),
    );
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const { elements, length } of lines) {
        // The arrays are of one class, which TypeScript cannot see.
        (result as Uint8Array).set((elements as Uint8Array).subarray(o * length, (o + 1) * length), at);
        at += length;
      }
    }
    return result;
  },
};

function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** A tensor of `shape` whose elements lie `strides` apart in `elements`, from `first` on. */
function gathered(elements: Elements, first: number, shape: readonly number[], strides: readonly number[]): Elements {
  const result = room(elements, elementCount(shape));
  if (result.length === 0) return result;
  const last = shape.length - 1;
  const inner = shape[last] ?? 1;
  const step = strides[last] ?? 1;
  const counter = shape.map(() => 0);
  let from = first;
  for (let at = 0; at < result.length; at += inner) {
    for (let i = 0, place = from; i < inner; i++, place += step) result[at + i] = elements[place]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++counter[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      counter[axis] = 0;
    }
  }
  return result;
}
