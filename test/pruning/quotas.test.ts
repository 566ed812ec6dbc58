/** Quotas: laws of the counts, and each rule against its formula solved by plain bisection. */
import { describe, expect, it } from "vitest";
import { quotas, type Quota } from "../../server/protocol/recipe.js";
import { type QuotaLayer, quotaCounts, quotaLastCounts } from "../../server/src/pruning/quotas.js";
import { uniform } from "../support/arrays.js";

const conv = (out: number, input: number, kernel: number): QuotaLayer => ({
  size: out * input * kernel ** 2,
  extent: out + input + 2 * kernel,
  pointwise: kernel === 1,
});
const dense = (out: number, input: number): QuotaLayer => ({ size: out * input, extent: out + input, pointwise: true });

const networks: Readonly<Record<string, readonly QuotaLayer[]>> = {
  "a convolutional network": [conv(16, 3, 3), conv(32, 16, 3), conv(32, 32, 3), conv(64, 32, 1), dense(10, 64)],
  "equal layers": [dense(9, 9), dense(9, 9), dense(9, 9), dense(9, 9)],
  "tiny layers": [dense(1, 2), dense(2, 2), dense(2, 3), dense(1, 1)],
  "one layer": [dense(5, 4)],
  "no classifier": [conv(4, 3, 3), conv(4, 4, 3), conv(2, 4, 3)],
  "very unequal layers": [dense(2000, 784), conv(8, 1, 5), dense(10, 2000)],
};
const none = (layers: readonly QuotaLayer[]): number[] => layers.map(() => 0);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const total = (layers: readonly QuotaLayer[]): number => sum(layers.map(({ size }) => size));

/** Totals to keep: all of small networks, some of large ones. */
function keeps(all: number): number[] {
  if (all <= 400) return Array.from({ length: all + 1 }, (_, k) => k);
  const random = uniform(3);
  return [0, 1, 2, all - 1, all, ...Array.from({ length: 60 }, () => Math.floor(all * random() ** 3))].sort(
    (a, b) => a - b,
  );
}

const both = quotas.flatMap((quota) => Object.keys(networks).map((name) => [quota, name] as const));

describe.each(both)("%s over %s", (quota, name) => {
  const layers = networks[name]!;
  it("keeps exactly as many as asked, no more than there are, and never fewer when more are kept", () => {
    let before = none(layers);
    for (const keep of keeps(total(layers))) {
      const counts = quotaCounts(layers, keep, quota, none(layers));
      expect(sum(counts)).toBe(keep);
      counts.forEach((count, l) => {
        expect(count).toBeGreaterThanOrEqual(before[l]!);
        expect(count).toBeLessThanOrEqual(layers[l]!.size);
      });
      before = counts;
    }
  });

  it("keeps nothing of a layer up to its last count, and something from there on", () => {
    quotaLastCounts(layers, quota, none(layers)).forEach((last, l) => {
      expect(quotaCounts(layers, last!, quota, none(layers))[l]).toBe(0);
      expect(quotaCounts(layers, last! + 1, quota, none(layers))[l]).toBe(1);
    });
  });

  it("holds floors, which win where they ask for more than there is", () => {
    const floors = layers.map(({ size }, l) => (l % 2 === 0 ? Math.ceil(size / 7) : 0));
    for (const keep of keeps(total(layers))) {
      const counts = quotaCounts(layers, keep, quota, floors);
      expect(sum(counts)).toBe(Math.max(keep, sum(floors)));
      counts.forEach((count, l) => expect(count).toBeGreaterThanOrEqual(floors[l]!));
    }
    const lasts = quotaLastCounts(layers, quota, floors);
    lasts.forEach((last, l) => {
      expect(last === null).toBe(floors[l]! > 0);
      if (last === null) return;
      expect(quotaCounts(layers, last, quota, floors)[l]).toBe(0);
      expect(quotaCounts(layers, last + 1, quota, floors)[l]).toBe(1);
    });
  });
});

/** The formulas as they are written, with the number that meets the total found by bisection over its logarithm. */
const formulas: Readonly<Record<Quota, (layers: readonly QuotaLayer[], density: number) => number[]>> = {
  uniform: (layers, density) => layers.map(() => density),
  erk: (layers, density) =>
    solved(layers, density, (x) => layers.map(({ size, extent }) => Math.min(1, (x * extent) / size))),
  igq: (layers, density) => solved(layers, density, (x) => layers.map(({ size }) => 1 / (size / x + 1))),
  "smart-ratio": (layers, density) => {
    const depth = layers.length;
    const ratio = (l: number): number => (depth - l + 1) ** 2 + (depth - l + 1);
    return solved(layers, density, (x) =>
      layers.map(({ pointwise }, i) => (i + 1 === depth && pointwise ? 0.3 : Math.min(1, x * ratio(i + 1)))),
    );
  },
};

function solved(layers: readonly QuotaLayer[], density: number, densities: (x: number) => number[]): number[] {
  let [low, high] = [-60, 60];
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    const kept = sum(densities(2 ** middle).map((one, l) => one * layers[l]!.size));
    if (kept < density * total(layers)) low = middle;
    else high = middle;
  }
  return densities(2 ** high);
}

describe.each(quotas)("%s by its formula", (quota) => {
  it.each(["a convolutional network", "no classifier", "very unequal layers"])("%s", (name) => {
    const layers = networks[name]!;
    for (const density of [0.5, 0.2, 0.1, 0.03]) {
      const keep = Math.round(density * total(layers));
      const counts = quotaCounts(layers, keep, quota, none(layers));
      const expected = formulas[quota](layers, keep / total(layers));
      counts.forEach((count, l) => {
        // Roundings of the L layers, of ½ each, are made up for by moving the total by as much.
        expect(Math.abs(count - expected[l]! * layers[l]!.size)).toBeLessThanOrEqual(0.5 * (1 + layers.length));
      });
    }
  });
});

it("smart-ratio gives the classifier what is left where its 0.3 cannot be met", () => {
  const layers = [dense(10, 10), dense(10, 10)];
  expect(quotaCounts(layers, 20, "smart-ratio", none(layers))).toEqual([0, 20]);
  expect(quotaCounts(layers, 30, "smart-ratio", none(layers))).toEqual([0, 30]);
  expect(quotaCounts(layers, 80, "smart-ratio", none(layers))).toEqual([50, 30]);
  expect(quotaCounts(layers, 160, "smart-ratio", none(layers))).toEqual([100, 60]);
});
