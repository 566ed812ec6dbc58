/** Numbers from elsewhere for the weights of a model, mask or scores: a .npz, read one array at a time. */
import { basename } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { elementCount } from "../graph/tensor.js";
import type { DataArray } from "./array.js";
import { float16ToNumber } from "../graph/float16.js";
import { type ArrayMatch, matchArrays } from "./array-match.js";
import { openNpz } from "./npz.js";
import { listed } from "./listed.js";
import type { StoredArray } from "./stored-array.js";

/** Elements that are decoded at a time. */
const chunkElements = 1 << 24;

/** Longest list of names in a sentence. */
const mostNamed = 8;

/** A .npz whose arrays belong to weights. */
export interface WeightArrays {
  /** Whether weight `i` has an array. */
  has(i: number): boolean;
  /**
   * The numbers of weight `i`, in the order in which its elements are stored: rounded to float32, or of a mask 0 where
   * they are 0, else 1.
   * @throws PruneScopeError `shape-mismatch` where the array has another shape, `unsupported-format` where it cannot be
   * read, `non-finite` where a mask holds NaN.
   */
  read(i: number): Promise<Float32Array>;
  /** Sentences about what belongs to what; complete when all were read. */
  notes(): string[];
  close(): void;
}

/**
 * Opens `file` for `weights`.
 * @throws PruneScopeError `missing-data` where there is no such file or none of its names is a weight's,
 * `unsupported-format` where it is no .npz.
 */
export async function openWeightArrays(
  file: string,
  weights: readonly PrunableWeight[],
  what: "mask" | "scores",
): Promise<WeightArrays> {
  const npz = await openNpz(file);
  try {
    const { matches, unused } = matchArrays(npz.names, weights);
    const found = matches.filter((match) => match !== null);
    if (found.length === 0) {
      throw new PruneScopeError(
        "missing-data",
        `No array of ${file} has the name of a prunable weight. It holds ${listed(npz.names, mostNamed)}; weights are ${listed(
          weights.map(({ name }) => name),
          mostNamed,
        )}.`,
        { file },
      );
    }
    const title = basename(file);
    const transposed: string[] = [];
    const notes = (): string[] => [
      ...renamed(title, weights, matches),
      ...(transposed.length === 0
        ? []
        : [
            `Transposed, as ${title} has [out, in] where the model stores [in, out] or the reverse: ${listed(transposed, mostNamed)}.`,
          ]),
      ...(unused.length === 0
        ? []
        : [
            `${unused.length} of ${npz.names.length} arrays of ${title} belong to no prunable weight: ${listed(unused, mostNamed)}.`,
          ]),
    ];
    return {
      has: (i) => matches[i] !== null,
      read: async (i) => {
        const match = matches[i]!;
        const array = await npz.array(match.name);
        const swapped = isTransposed(array, weights[i]!, match);
        if (swapped) transposed.push(match.name);
        return numbersOf(array, weights[i]!.size, swapped, what === "mask");
      },
      notes,
      close: () => npz.close(),
    };
  } catch (error) {
    npz.close();
    throw error;
  }
}

/** Arrays whose names are not those of the weights that they belong to. */
function renamed(title: string, weights: readonly PrunableWeight[], matches: readonly (ArrayMatch | null)[]): string[] {
  const pairs = matches.flatMap((match, i) => {
    const { id, name } = weights[i]!;
    return match === null || match.name === name || match.name === id ? [] : [{ array: match.name, name }];
  });
  if (pairs.length === 0) return [];
  const shown = pairs.slice(0, mostNamed).map(({ array, name }) => `"${array}" for "${name}"`);
  const more = pairs.length - shown.length;
  return [`Matched by a part of their names in ${title}: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`];
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);
const reversed = (shape: readonly number[]): number[] => [...shape].reverse();
const long = (shape: readonly number[]): number[] => shape.filter((dim) => dim !== 1);

/**
 * Whether an array is the transpose of what the file stores. A Linear's weight is [out, in]; what its shape does not
 * tell, because it is square, the module's name does.
 * @throws PruneScopeError `shape-mismatch` where it fits neither way.
 */
function isTransposed({ shape, label, file }: StoredArray, weight: PrunableWeight, { ofModule }: ArrayMatch): boolean {
  const stored = weight.tensor.shape;
  const asStored = same(shape, stored);
  const flipped = stored.length === 2 && same(shape, reversed(stored));
  if (flipped && ofModule && weight.roles.out[0] === 1) return true;
  if (asStored) return false;
  if (flipped) return true;
  if (same(long(shape), long(stored))) return false;
  const words = (dims: readonly number[]): string => `[${dims.join(", ")}]`;
  throw new PruneScopeError(
    "shape-mismatch",
    `${label} has the shape ${words(shape)}, and the model stores "${weight.name}" as ${words(stored)}.`,
    { file, value: weight.name },
  );
}

/** All numbers of an array in row-major order, or in that of its transpose. */
async function numbersOf(
  array: StoredArray,
  size: number,
  transposed: boolean,
  isMask: boolean,
): Promise<Float32Array> {
  const out = new Float32Array(size);
  const [rows = 1] = array.shape;
  const inner = elementCount(array.shape.slice(1));
  const step = Math.max(1, Math.floor(chunkElements / inner));
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const chosen = count === rows ? null : Array.from({ length: count }, (_, r) => first + r);
    const numbers = plainNumbers(await array.read(0, chosen));
    const part = isMask ? flagsOf(numbers, array) : numbers;
    if (transposed) fillColumns(out, part, first, rows, inner);
    else out.set(part, first * inner);
  }
  return out;
}

/** Elements as plain numbers; 64-bit integers as the nearest. */
function plainNumbers({ dtype, values }: DataArray): Exclude<DataArray["values"], BigInt64Array | BigUint64Array> {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return Float64Array.from(values, Number);
  return dtype === "float16" ? Float32Array.from(values, float16ToNumber) : values;
}

/** 1 for every number that is not 0. */
function flagsOf(numbers: ArrayLike<number>, { label, file }: StoredArray): Uint8Array {
  const flags = new Uint8Array(numbers.length);
  for (let i = 0; i < flags.length; i++) {
    const number = numbers[i]!;
    if (Number.isNaN(number))
      throw new PruneScopeError("non-finite", `${label} is a mask and holds NaN: it must be 0 where a weight goes.`, {
        file,
      });
    flags[i] = number === 0 ? 0 : 1;
  }
  return flags;
}

/** Rows from `first` on, of `inner` numbers each, become columns of a matrix with `rows` columns. */
function fillColumns(out: Float32Array, part: ArrayLike<number>, first: number, rows: number, inner: number): void {
  for (let i = 0, row = first; i < part.length; row++)
    for (let column = 0; column < inner; column++, i++) out[column * rows + row] = part[i]!;
}
