/**
 * Scores under a pattern against a sort of every group: any n of any m, along any axis, with ties, however blocks cut
 * groups and slabs.
 */
import { describe, expect, it } from "vitest";
import type { PruneScopeError } from "../../../server/protocol/errors.js";
import { arrayField, blockElements } from "../../../server/src/formats/stored-elements.js";
import { OrderedScores } from "../../../server/src/pruning/order.js";
import { PatternField } from "../../../server/src/pruning/pattern/field.js";
import { groupLayout } from "../../../server/src/pruning/pattern/layout.js";
import { patternRestriction } from "../../../server/src/pruning/pattern/restriction.js";
import { outside, restricted, type Restriction } from "../../../server/src/pruning/restrict.js";
import { layerSeed, mix32 } from "../../../server/src/pruning/hash.js";
import { arrayLayer, uniform } from "../../support/arrays.js";

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly pattern: readonly [number, number];
}

const cases: readonly Case[] = [
  { name: "2:4 of neighbours, a row no block holds whole", shape: [30, 2500], axis: 1, pattern: [2, 4] },
  { name: "2:4 of a convolution, slabs that blocks cut", shape: [40, 64, 5, 7], axis: 1, pattern: [2, 4] },
  { name: "2:4 over rows, slabs larger than a block", shape: [8, 17_000], axis: 0, pattern: [2, 4] },
  { name: "1:2", shape: [70, 1000], axis: 1, pattern: [1, 2] },
  { name: "1:4", shape: [4, 20_000], axis: 0, pattern: [1, 4] },
  { name: "4:8", shape: [25, 24, 120], axis: 1, pattern: [4, 8] },
  { name: "3:7", shape: [70, 999], axis: 0, pattern: [3, 7] },
  { name: "5:100", shape: [700, 100], axis: 1, pattern: [5, 100] },
  { name: "255:256", shape: [256, 300], axis: 0, pattern: [255, 256] },
];

/** Kinds of scores; `decided` where ties in score are ties in magnitude. */
const kinds = [
  { name: "distinct", signed: false, score: (x: number) => Math.abs(x), decided: true },
  { name: "many ties", signed: false, score: (x: number) => Math.round(8 * Math.abs(x)) / 8, decided: false },
  { name: "all equal", signed: false, score: () => 0.5, decided: false },
  { name: "with signs", signed: true, score: (x: number) => x, decided: false },
  // Neighbours of one float: they differ in the last bits only, on both sides of 0, and −0 is 0.
  { name: "last bits", signed: true, score: (x: number) => nearby(x), decided: false },
] as const;

function nearby(x: number): number {
  const word = Int32Array.of(0x3f800000 + Math.round(3 * Math.abs(x)));
  const value = new Float32Array(word.buffer)[0]!;
  return Math.abs(x) < 0.1 ? 0 * x : Math.sign(x) * value;
}

const seed = 9;
const count = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Which elements stay, by sorting each group. */
function sortedGroups(
  { shape, axis, pattern: [n, m] }: Case,
  scores: Float32Array,
  magnitudes: Float32Array | null,
): boolean[] {
  const inner = count(shape.slice(axis + 1));
  const base = layerSeed("w", seed);
  const keep = new Array<boolean>(scores.length).fill(false);
  for (let first = 0; first < scores.length; first++) {
    // The first of a group: its step along the axis is a multiple of m.
    if (Math.floor(first / inner) % m !== 0) continue;
    const group = Array.from({ length: m }, (_, j) => first + j * inner);
    group.sort(
      (a, b) =>
        scores[b]! - scores[a]! ||
        (magnitudes === null ? 0 : Math.abs(magnitudes[b]!) - Math.abs(magnitudes[a]!)) ||
        mix32(base, b) - mix32(base, a) ||
        b - a,
    );
    for (const at of group.slice(0, n)) keep[at] = true;
  }
  return keep;
}

function made(
  one: Case,
  kind: (typeof kinds)[number],
): { readonly scores: OrderedScores; readonly expected: Float32Array } {
  const random = uniform(4);
  const size = count(one.shape);
  const draws = Float32Array.from({ length: size }, () => random() + random() + random() - 1.5);
  const values = draws.map((x) => kind.score(x));
  // Magnitudes that tie as well, so that hashes decide too.
  const weights = kind.decided ? values : draws.map((x) => Math.round(4 * x) / 4);
  const layer = { ...arrayLayer("w", weights), field: arrayField(values) };
  const scores = new OrderedScores([layer], kind.signed, kind.decided, seed);
  const keep = sortedGroups(one, values, kind.decided ? null : weights);
  return { scores, expected: values.map((value, i) => (keep[i]! ? value : outside)) };
}

const fieldOf = (scores: OrderedScores, { shape, axis, pattern: [n, m] }: Case): PatternField =>
  new PatternField(scores, 0, groupLayout(shape, axis, m), n);

describe.each(cases)("$name", (one) => {
  it.each(kinds)("$name: keeps the strongest of each group", (kind) => {
    const { scores, expected } = made(one, kind);
    const field = fieldOf(scores, one);
    const found = new Float32Array(field.size);
    for (let start = 0; start < field.size; start += blockElements)
      field.read(start, Math.min(blockElements, field.size - start), found.subarray(start, start + blockElements));
    expect(firstDifference(found, expected)).toBe(-1);
  });
});

/** Numbers are compared as they are, −0 as 0. */
const firstDifference = (a: Float32Array, b: Float32Array): number => a.findIndex((value, i) => value !== b[i]!);

it("gives the same whichever part is asked for, in any order", () => {
  for (const one of cases) {
    const { scores, expected } = made(one, kinds[1]);
    const field = fieldOf(scores, one);
    const random = uniform(8);
    for (let i = 0; i < 40; i++) {
      const start = Math.floor(random() * field.size);
      const length = Math.min(field.size - start, 1 + Math.floor(random() * blockElements));
      const part = new Float32Array(length);
      field.read(start, length, part);
      expect(firstDifference(part, expected.subarray(start, start + length))).toBe(-1);
    }
  }
});

it("clears words where scores are outside, and sums what was read once", () => {
  for (const one of cases) {
    const { scores, expected } = made(one, kinds[0]);
    const field = fieldOf(scores, one);
    expect(field.sums).toBeNull();
    const words = Int32Array.from({ length: field.size }, (_, i) => i + 1);
    const step = 50_001;
    for (let start = 0; start < field.size; start += step) field.clearWords(words.subarray(start, start + step), start);
    expect([...words].every((word, i) => word === (expected[i] === outside ? 0 : i + 1))).toBe(true);
    const kept = expected.reduce((sum, value) => sum + (value === outside ? 0 : value), 0);
    // Sums of at most 100,000 doubles in another order.
    expect(field.sums!.kept).toBeCloseTo(kept, 6);
    field.read(0, 1, new Float32Array(1));
    expect(field.sums!.kept).toBeCloseTo(kept, 6);
    expect(field.sums!.all).toBeGreaterThan(field.sums!.kept);
  }
});

it.each([NaN, Infinity, -Infinity])("refuses a score of %d and names the layer", (value) => {
  const [one] = cases;
  for (const kind of [kinds[0], kinds[3]]) {
    const { scores } = made(one!, kind);
    const layer = scores.layers[0]!;
    const values = new Float32Array(layer.size).fill(1);
    values[70_001] = value;
    const field = fieldOf(new OrderedScores([{ ...layer, field: arrayField(values) }], kind.signed, true, seed), one!);
    field.read(0, 10, new Float32Array(10));
    const reading = (): void => {
      field.read(69_000, 2000, new Float32Array(2000));
    };
    for (let again = 0; again < 2; again++)
      expect(reading).toThrow(expect.objectContaining<Partial<PruneScopeError>>({ code: "non-finite" }) as Error);
    expect(reading).toThrow(/"w"/);
  }
});

it("chooses among what an earlier restriction leaves", () => {
  const one: Case = { name: "", shape: [5000, 16], axis: 1, pattern: [2, 4] };
  const { scores } = made(one, kinds[0]);
  const random = uniform(2);
  const gone = Array.from({ length: 80_000 }, () => random() < 0.4);
  const values = Float32Array.from(gone, (is, i) => (is ? outside : i % 13));
  const mask: Restriction = { identity: "mask", field: () => arrayField(values) };
  const both = restricted(scores, [mask, patternRestriction({ n: 2, m: 4 }, [groupLayout(one.shape, 1, 4)])]);
  const found = new Float32Array(80_000);
  both.layers[0]!.field!.read(0, blockElements, found);
  both.layers[0]!.field!.read(blockElements, 80_000 - blockElements, found.subarray(blockElements));
  for (let group = 0; group < 80_000; group += 4) {
    const left = values.subarray(group, group + 4).filter((value) => value !== outside);
    const kept = found.subarray(group, group + 4).filter((value) => value !== outside);
    expect([...kept].sort()).toEqual(
      [...left]
        .sort((a, b) => b - a)
        .slice(0, 2)
        .sort(),
    );
  }
});
