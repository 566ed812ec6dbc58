/**
 * Which elements of a weight are not 0, block by block, however they are stored: −0, a quantised weight's zero point and
 * the code nearest to 0 are 0, NaN is not, and what a sparse tensor does not store is 0.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Source } from "../../formats/source.js";
import { blockElements, storedElements } from "../../formats/stored-elements.js";
import type { Constant } from "../../graph/graph.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { elementCount } from "../../graph/tensor.js";

/** The elements of a dense tensor as flags. */
export interface NonZeros {
  /** Elements of the dense tensor. */
  readonly size: number;
  /**
   * Sets `flags[i]` to 1 where element start + i is not 0, else to 0; count at most {@link blockElements}.
   * @returns the number of flags that are 1.
   */
  read(start: number, count: number, flags: Uint8Array): number;
}

/** Largest dense tensor that a sparse one may stand for: walking through more would not end. */
const mostDense = 2 ** 34;

/**
 * Opens the elements of `weight`, whose files `source` has open.
 * @throws PruneScopeError `malformed-model` or `unsupported-format` where the indices of a sparse tensor say nothing.
 */
export function nonZerosOf(source: Source, weight: PrunableWeight): NonZeros {
  const stored = storedNonZeros(source, weight);
  return weight.sparse ? new SparseNonZeros(source, weight, stored) : stored;
}

function storedNonZeros(source: Source, weight: PrunableWeight): NonZeros {
  const elements = storedElements(source, weight);
  const { size } = elements;
  if (weight.tensor.dtype === "double" || elements.zero !== 0) {
    const values = new Float64Array(Math.min(size, blockElements));
    return {
      size,
      read: (start, count, flags) => {
        elements.readExact(start, count, values);
        let sum = 0;
        for (let i = 0; i < count; i++) sum += flags[i] = values[i] === elements.zero ? 0 : 1;
        return sum;
      },
    };
  }
  const values = new Float32Array(Math.min(size, blockElements));
  const bits = new Int32Array(values.buffer);
  return {
    size,
    read: (start, count, flags) => {
      elements.read(start, count, values);
      return flagBits(bits, count, flags);
    },
  };
}

/** Flags of float32 patterns, without a branch: the negative of what is left without the sign has its top bit set, but for 0. */
function flagBits(bits: Int32Array, count: number, flags: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += flags[i] = -(bits[i]! & 0x7fffffff) >>> 31;
  return sum;
}

/** A tensor of which the file stores some elements: their places are held in memory, in order. */
class SparseNonZeros implements NonZeros {
  readonly size: number;
  /** Ascending places of the stored elements that are not 0. */
  readonly #places: Float64Array;

  constructor(source: Source, weight: PrunableWeight, stored: NonZeros) {
    this.size = elementCount(weight.shape);
    if (this.size > mostDense)
      throw new PruneScopeError("unsupported-format", `"${weight.name}" stands for ${this.size} elements, too many.`, {
        value: weight.name,
      });
    const places = placesOf(source, weight, stored.size);
    const flags = new Uint8Array(Math.min(stored.size, blockElements));
    let kept = 0;
    for (let start = 0; start < stored.size; start += blockElements) {
      const count = Math.min(blockElements, stored.size - start);
      stored.read(start, count, flags);
      for (let i = 0; i < count; i++) if (flags[i] === 1) places[kept++] = places[start + i]!;
    }
    this.#places = places.subarray(0, kept).sort();
  }

  read(start: number, count: number, flags: Uint8Array): number {
    flags.fill(0, 0, count);
    const places = this.#places;
    let low = 0;
    for (let high = places.length; low < high;) {
      const middle = (low + high) >> 1;
      if (places[middle]! < start) low = middle + 1;
      else high = middle;
    }
    const first = low;
    for (; low < places.length && places[low]! < start + count; low++) flags[places[low]! - start] = 1;
    return low - first;
  }
}

/** Linear indices of a sparse tensor's stored elements in its dense one, checked. */
function placesOf(source: Source, weight: PrunableWeight, stored: number): Float64Array {
  const { name, shape, indices } = weight;
  const fail = (what: string): never => {
    throw new PruneScopeError("malformed-model", `The indices of sparse tensor "${name}" ${what}.`, { value: name });
  };
  if (indices === null) return stored === 0 ? new Float64Array(0) : fail("are missing");
  const { tensor } = indices;
  const { length: rank } = shape;
  const coordinates = tensor.shape.length === 2;
  const fits = tensor.shape[0] === stored && (coordinates ? tensor.shape[1] === rank : tensor.shape.length === 1);
  if (tensor.dtype !== "int64" || !fits)
    fail(`are ${tensor.dtype} [${tensor.shape.join(", ")}] for ${stored} elements of ${rank} axes`);
  const numbers = wholeNumbers(source, indices);
  const places = new Float64Array(stored);
  const width = coordinates ? rank : 1;
  const lengths = coordinates ? shape : [elementCount(shape)];
  for (let i = 0; i < stored; i++) {
    let place = 0;
    for (let axis = 0; axis < width; axis++) {
      const index = numbers[i * width + axis]!;
      const length = lengths[axis]!;
      if (index < 0n || index >= BigInt(length)) fail(`reach outside of [${shape.join(", ")}]`);
      place = place * length + Number(index);
    }
    places[i] = place;
  }
  const sorted = places.slice().sort();
  for (let i = 1; i < stored; i++) if (sorted[i] === sorted[i - 1]) fail("name an element twice");
  return places;
}

/** The elements of an int64 constant. */
function wholeNumbers(source: Source, { inline, tensor, name }: Constant): BigInt64Array {
  if (inline !== null) return new BigInt64Array(inline.slice().buffer);
  if (tensor.encoding !== "raw")
    throw new PruneScopeError("unsupported-format", `"${name}" stores its numbers as varints, which are not read.`, {
      file: tensor.path,
      value: name,
    });
  const bytes = new Uint8Array(tensor.length);
  source.read(tensor.path, tensor.offset, bytes);
  return new BigInt64Array(bytes.buffer);
}
