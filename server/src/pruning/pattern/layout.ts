/**
 * Where the groups of an N:M pattern lie in a stored tensor: m elements one step of the reduction axis apart. Groups
 * whose first elements are neighbours fill one slab of consecutive elements, which is read in one piece.
 */
import { elementCount } from "../../graph/tensor.js";

export interface GroupLayout {
  /** Length of the reduction axis, a multiple of m. */
  readonly length: number;
  /** Elements between two steps of the axis: those of all axes behind it. */
  readonly inner: number;
  /** Elements of the tensor. */
  readonly size: number;
  readonly m: number;
}

/** Layout of groups of `m` along `axis` of a tensor of this shape, whose length m divides. */
export function groupLayout(shape: readonly number[], axis: number, m: number): GroupLayout {
  return { length: shape[axis]!, inner: elementCount(shape.slice(axis + 1)), size: elementCount(shape), m };
}

/** Consecutive elements that hold whole groups and nothing else; the tensor is a sequence of such slabs. */
export const slabElements = ({ inner, m }: GroupLayout): number => inner * m;

/** Number of groups of a tensor. */
export const groupCount = ({ size, m }: GroupLayout): number => size / m;
