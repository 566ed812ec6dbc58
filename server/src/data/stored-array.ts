/** Arrays that lie in a file: their type and shape are known at once, and only what is asked for is read. */
import { PruneScopeError } from "../../protocol/errors.js";
import { elementCount } from "../graph/tensor.js";
import { type DataArray, makeValues, type NumericType } from "./array.js";

export interface StoredArray {
  /** How messages call it, `Array "x" of /data/mnist.npz` for example. */
  readonly label: string;
  readonly file: string;
  readonly dtype: NumericType;
  readonly shape: readonly number[];
  /** The part of the array at `rows` (ascending) of `axis`, or all of it. */
  read(axis: number, rows: readonly number[] | null): Promise<DataArray>;
}

/** A range of bytes. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** Bytes that can be read by range: a file, or a member of an archive. */
export interface ByteSource {
  readonly size: number;
  /** Fills `out` with the bytes of `ranges`, which are ascending and do not overlap. */
  collect(ranges: Iterable<Range>, out: Uint8Array): Promise<void>;
}

/** Most bytes that the chosen samples of one array may take. */
const maxBytes = 2 ** 31;

/**
 * Bytes of `count` elements of `itemBytes` each.
 * @throws PruneScopeError `out-of-memory` above 2 GiB.
 */
export function affordableBytes(count: number, itemBytes: number, label: string, file: string): number {
  const bytes = count * itemBytes;
  if (bytes <= maxBytes) return bytes;
  const size = `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new PruneScopeError("out-of-memory", `${label} would take ${size} of memory. Use fewer samples.`, { file });
}

/** Where the elements at `rows` of `axis` lie in a row-major array: ascending, neighbours joined. */
export function* rangesOf(
  shape: readonly number[],
  axis: number,
  rows: readonly number[] | null,
  itemBytes: number,
): Iterable<Range> {
  if (rows === null) {
    yield { offset: 0, length: elementCount(shape) * itemBytes };
    return;
  }
  const inner = elementCount(shape.slice(axis + 1)) * itemBytes;
  const outer = elementCount(shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < rows.length;) {
      const first = rows[i]!;
      const from = i++;
      while (rows[i] === first + i - from) i++;
      yield { offset: (o * shape[axis]! + first) * inner, length: (i - from) * inner };
    }
  }
}

/** An array that is in memory already. */
export function heldArray(array: DataArray, label: string, file: string): StoredArray {
  const { dtype, shape } = array;
  return {
    label,
    file,
    dtype,
    shape,
    read: (axis, rows) => Promise.resolve(rows === null ? array : rowsOf(array, axis, rows)),
  };
}

/** The part of an array at `rows` of `axis`, in their order and as often as they come. */
export function rowsOf({ dtype, shape, values }: DataArray, axis: number, rows: readonly number[]): DataArray {
  const length = shape[axis]!;
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  const out = makeValues(dtype, outer * rows.length * inner);
  let filled = 0;
  for (let o = 0; o < outer; o++) {
    for (const row of rows) {
      const from = (o * length + row) * inner;
      // Source and target are of one type, which the union of all of them hides.
      (out as Float32Array).set(values.subarray(from, from + inner) as Float32Array, filled);
      filled += inner;
    }
  }
  return { dtype, shape: shape.map((dim, i) => (i === axis ? rows.length : dim)), values: out };
}

/** Arrays of one type, and of one shape but for `axis`, one after the other along it. */
export function concatenated(arrays: readonly DataArray[], axis: number): DataArray {
  const { dtype, shape } = arrays[0]!;
  const length = arrays.reduce((sum, array) => sum + array.shape[axis]!, 0);
  const joined = shape.map((dim, i) => (i === axis ? length : dim));
  const values = makeValues(dtype, elementCount(joined));
  const inner = elementCount(shape.slice(axis + 1));
  let filled = 0;
  for (let o = 0; o < elementCount(shape.slice(0, axis)); o++) {
    for (const array of arrays) {
      const part = array.shape[axis]! * inner;
      (values as Float32Array).set(array.values.subarray(o * part, (o + 1) * part) as Float32Array, filled);
      filled += part;
    }
  }
  return { dtype, shape: joined, values };
}
