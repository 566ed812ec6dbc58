/** Products of matrices: rows of one and columns of the other are summed over together. */
import { intAttribute } from "../../graph.js";
import type { Axis } from "../axes.js";
import { type ChannelRule, unfitting } from "../rule.js";

export const gemm: ChannelRule = {
  operators: ["Gemm", "com.microsoft.FusedGemm"],
  apply: (site) => {
    const a = site.shape(0);
    const b = site.shape(1);
    if (a?.length !== 2 || b?.length !== 2) return unfitting;
    const inA = intAttribute(site.node, "transA", 0) === 0 ? 1 : 0;
    const inB = intAttribute(site.node, "transB", 0) === 0 ? 0 : 1;
    if (a[inA] !== b[inB]) return unfitting;
    site.join(site.take(0, inA), site.take(1, inB));
    const outputs = [site.take(0, 1 - inA), site.take(1, 1 - inB)];
    if (site.has(2)) {
      const bias = site.broadcast([2], 2);
      const shape = site.shape(2);
      if (bias === null || shape === null) return unfitting;
      // Along an axis of length 1 it is the same for all.
      const given = (axis: number): boolean => (shape[shape.length - 2 + axis] ?? 1) !== 1;
      for (const axis of [0, 1]) if (given(axis)) outputs[axis] = site.join(outputs[axis]!, bias[axis]!);
    }
    site.give(0, outputs);
    return null;
  },
};

export const matMul: ChannelRule = {
  operators: ["MatMul", "com.microsoft.FusedMatMul"],
  apply: (site) => {
    const a = site.shape(0);
    const b = site.shape(1);
    const stacked = intAttribute(site.node, "transBatchA", 0) + intAttribute(site.node, "transBatchB", 0);
    if (a === null || b === null || a.length === 0 || b.length === 0 || stacked !== 0) return unfitting;
    const [ka, kb] = [a, b].map((shape, i) => {
      const turned = intAttribute(site.node, i === 0 ? "transA" : "transB", 0) !== 0;
      return shape.length === 1 ? 0 : (i === 0) !== turned ? shape.length - 1 : shape.length - 2;
    }) as [number, number];
    if (a[ka] !== b[kb]) return unfitting;
    const rank = Math.max(a.length, b.length);
    const rows = a.length > 1 ? 2 * a.length - 3 - ka : -1;
    const columns = b.length > 1 ? 2 * b.length - 3 - kb : -1;
    // Stacked matrices are broadcast; what depends on them keeps its place.
    const left = site.carry(0, placesIn(a, rank, rows, rank - 2, ka, rank - 1), rank);
    const right = site.carry(1, placesIn(b, rank, columns, rank - 1, kb, rank - 2), rank);
    site.join(left[rank - 1] ?? null, right[rank - 2] ?? null);
    const out: Axis[] = [];
    for (let axis = 0; axis < rank - 2; axis++) {
      const of = [a, b].map((shape) => shape[axis - rank + shape.length] ?? 1);
      out.push(of[0] === 1 ? right[axis]! : of[1] === 1 ? left[axis]! : site.join(left[axis]!, right[axis]!));
    }
    if (rows >= 0) out.push(left[rank - 2]!);
    if (columns >= 0) out.push(right[rank - 1]!);
    site.give(0, out);
    return null;
  },
};

/** Places of an operand's axes where both have `rank`: stacked ones from the right, then its free and its summed axis. */
function placesIn(
  shape: readonly number[],
  rank: number,
  free: number,
  freePlace: number,
  summed: number,
  summedPlace: number,
): number[] {
  return shape.map((_, k) => (k === free ? freePlace : k === summed ? summedPlace : k + rank - shape.length));
}
