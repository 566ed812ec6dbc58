/**
 * The part of a weight that is looked at as a matrix of outputs by everything that is summed over: few vectors in full
 * length, so that what is orthogonal shows. A part of independent elements is as independent as the whole.
 */
import { arrayField, blockElements, type NumberField, type StoredElements } from "../../formats/stored-elements.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { elementCount } from "../../graph/tensor.js";
import type { Matrix } from "./spectrum.js";

/** Longest vectors, and multiplications for all their products. */
const longest = 4096;
const products = 2 ** 23;
/** With fewer vectors there is no spectrum to speak of. */
const leastVectors = 8;

/** @returns with `whole` where vectors have their full length; null where it is not known which axes are outputs, or the file holds only some elements. */
export function matrixPart(
  weight: PrunableWeight,
  elements: StoredElements,
): (Matrix & { readonly whole: boolean }) | null {
  const { shape, roles, sparse } = weight;
  const [out] = roles.out;
  if (out === undefined || roles.out.length !== 1 || sparse) return null;
  // Of a batch of matrices the first, whose elements lie together.
  const batch = elementCount(roles.batch.map((axis) => shape[axis]!));
  const outputs = shape[out]!;
  const inner = elementCount(shape.slice(out + 1));
  const outer = elementCount(shape.slice(0, out)) / batch;
  const summed = inner * outer;
  if (Math.min(outputs, summed) < leastVectors) return null;
  const length = Math.min(Math.max(outputs, summed), longest);
  const vectors = Math.min(outputs, summed, Math.max(leastVectors, Math.floor(Math.sqrt(products / length))));
  const [rows, columns] = outputs <= summed ? [vectors, length] : [length, vectors];
  const part = read(
    weight.tensor.encoding === "varint" ? wholeOf(elements) : elements,
    { outputs, inner },
    rows,
    columns,
  );
  return { ...part, whole: length === Math.max(outputs, summed) };
}

/** The first rows and columns of a tensor [outer, outputs, inner]; columns run over outer and inner. */
function read(
  elements: NumberField,
  { outputs, inner }: { readonly outputs: number; readonly inner: number },
  rows: number,
  columns: number,
): Matrix {
  const made = new Float64Array(rows * columns);
  const block = new Float32Array(Math.max(rows, Math.min(inner, columns)));
  for (let column = 0; column < columns; column += inner) {
    const start = (column / inner) * outputs * inner;
    if (inner === 1) {
      elements.read(start, rows, block);
      for (let row = 0; row < rows; row++) made[row * columns + column] = block[row]!;
      continue;
    }
    const count = Math.min(inner, columns - column);
    for (let row = 0; row < rows; row++) {
      elements.read(start + row * inner, count, block);
      made.set(block.subarray(0, count), row * columns + column);
    }
  }
  return { rows, columns, elements: made };
}

/** Elements of varying length can be read in whole blocks only. */
function wholeOf(elements: StoredElements): NumberField {
  const all = new Float32Array(elements.size);
  for (let start = 0; start < elements.size; start += blockElements) {
    const count = Math.min(blockElements, elements.size - start);
    elements.read(start, count, all.subarray(start, start + count));
  }
  return arrayField(all);
}
