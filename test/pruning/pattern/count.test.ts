/** Laws of counting groups: the same as by definition for every shape, also where a slab is larger than a block. */
import { describe, expect, it } from "vitest";
import { blockElements } from "../../../server/src/formats/stored-elements.js";
import { GroupTally, piecesOf } from "../../../server/src/pruning/pattern/count.js";
import { groupLayout, groupCount } from "../../../server/src/pruning/pattern/layout.js";
import { groupsOf, holed, withPattern } from "../../support/groups.js";

function tallied(flags: Uint8Array, shape: readonly number[], axis: number, n: number, m: number): GroupTally {
  const layout = groupLayout(shape, axis, m);
  const tally = new GroupTally(layout, n);
  for (const piece of piecesOf(layout)) {
    const count = piece.rows * piece.width;
    expect(count).toBeLessThanOrEqual(blockElements);
    tally.add(flags.subarray(piece.start, piece.start + count), piece);
  }
  return tally;
}

const flagsOf = (values: readonly number[]): Uint8Array => Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));

const cases = [
  [[8, 12], 1, 1, 3],
  [[8, 12], 0, 2, 4],
  [[6, 8, 3, 3], 1, 2, 4],
  [[16, 5, 7], 0, 3, 8],
  [[2, 32, 6], 2, 1, 2],
  [[3, 256, 2], 1, 200, 256],
  // Blocks of whole slabs end in the middle of the tensor.
  [[40, 12, 3, 100], 1, 2, 3],
  // A slab is larger than a block: rows of it, a few or one at a time, or parts of one row.
  [[8, 20_000], 0, 2, 4],
  [[2, 8, 40_000], 1, 1, 4],
  [[4, blockElements + 7], 0, 1, 2],
  [[256, 300], 0, 128, 256],
] as const;

describe.each(cases)("%j along axis %i, %i:%i", (shape, axis, n, m) => {
  const size = shape.reduce((product, length) => product * length, 1);
  const groups = groupsOf(shape, axis, m);

  it("counts what a slow count by definition does", () => {
    const values = flagsOf(holed(size, size, 0.6));
    const full = groups.map((group) => group.reduce((sum, index) => sum + values[index]!, 0));
    const tally = tallied(values, shape, axis, n, m);
    expect(groupCount(groupLayout(shape, axis, m))).toBe(groups.length);
    expect(tally.violations).toBe(full.filter((count) => count > n).length);
    expect(tally.most).toBe(full.reduce((most, count) => Math.max(most, count)));
    const first = full.findIndex((count) => count > n);
    expect(tally.first).toBe(first < 0 ? null : groups[first]![0]);
  });

  it("finds one element too many, and where", () => {
    const held = flagsOf(withPattern(holed(size + 1, size, 0), shape, axis, { n, m }));
    expect(tallied(held, shape, axis, n, m)).toMatchObject({ violations: 0, first: null, most: n });
    for (const group of [groups[0]!, groups.at(-1)!, groups[groups.length >> 1]!]) {
      const hole = group.find((index) => held[index] === 0)!;
      held[hole] = 1;
      expect(tallied(held, shape, axis, n, m)).toMatchObject({ violations: 1, first: group[0], most: n + 1 });
      held[hole] = 0;
    }
  });
});

it("counts groups of a smaller size in the pieces of a larger one", () => {
  for (const shape of [
    [32, 9],
    [32, 30_000],
    [16, blockElements + 5],
  ]) {
    const size = shape[0]! * shape[1]!;
    const values = flagsOf(holed(3, size, 0.7));
    const small = new GroupTally(groupLayout(shape, 0, 4), 1);
    for (const piece of piecesOf(groupLayout(shape, 0, 16))) {
      const count = piece.rows * piece.width;
      small.add(values.subarray(piece.start, piece.start + count), piece);
    }
    const { violations, first, most } = tallied(values, shape, 0, 1, 4);
    expect(small).toMatchObject({ violations, first, most });
  }
});
