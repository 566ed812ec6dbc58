/**
 * Laws of ranking: exactly k are kept, they are the strongest in the documented order, masks nest, ties do not follow
 * the file's order, and the critical sparsity is where brute force finds it.
 */
import { describe, expect, it } from "vitest";
import { defaultRecipe, keptCount, type Recipe } from "../../server/protocol/recipe.js";
import { decodeSurvival, interpolateKept } from "../../server/protocol/survival.js";
import { lastRanks } from "../../server/src/pruning/critical.js";
import { clearWords, fillKeep, makeMask } from "../../server/src/pruning/mask.js";
import { type OrderedLayer, OrderedScores } from "../../server/src/pruning/order.js";
import { select } from "../../server/src/pruning/select.js";
import { survivalTable } from "../../server/src/pruning/survival-table.js";
import { survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, sortedPlaces, uniform } from "../support/arrays.js";

const random = uniform(7);
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const scores = (size: number, make: () => number): Float32Array => Float32Array.from({ length: size }, make);

/** Kinds of score that ranking must handle, each with the layers' scores and, where they differ, weights. */
const cases: readonly { name: string; signed: boolean; magnitude: boolean; layers: () => OrderedLayer[] }[] = [
  {
    name: "distinct scores",
    signed: false,
    magnitude: true,
    layers: () =>
      [50, 1, 700, 3].map((n, i) =>
        arrayLayer(
          `l${i}`,
          scores(n, () => Math.abs(normal()) * 10 ** i),
        ),
      ),
  },
  {
    name: "many exact zeros and equal values",
    signed: false,
    magnitude: true,
    layers: () =>
      [40, 300, 9].map((n, i) =>
        arrayLayer(
          `l${i}`,
          scores(n, () => Math.floor(random() * 4) / 4),
        ),
      ),
  },
  {
    name: "all scores equal",
    signed: false,
    magnitude: true,
    layers: () =>
      [64, 200].map((n, i) =>
        arrayLayer(
          `l${i}`,
          scores(n, () => 0.25),
        ),
      ),
  },
  {
    name: "equal scores told apart by the weights",
    signed: false,
    magnitude: false,
    layers: () =>
      [60, 150].map((n, i) =>
        arrayLayer(
          `l${i}`,
          scores(n, () => (random() < 0.6 ? 0 : 1)),
          Float64Array.from({ length: n }, () => Math.round(normal() * 4) / 4),
        ),
      ),
  },
  {
    name: "signed scores",
    signed: true,
    magnitude: false,
    layers: () =>
      [80, 120].map((n, i) =>
        arrayLayer(
          `l${i}`,
          scores(n, () => (random() < 0.1 ? -0 : normal())),
        ),
      ),
  },
  {
    name: "subnormal and huge scores",
    signed: false,
    magnitude: true,
    layers: () =>
      [33, 77].map((n, i) =>
        arrayLayer(
          `l${i}`,
          scores(n, () => 2 ** (-149 + 270 * random())),
        ),
      ),
  },
];

const noPause = (): Promise<void> => Promise.resolve();

async function prepare(name: string, seed = 0) {
  const one = cases.find((c) => c.name === name)!;
  const layers = one.layers();
  const ordered = new OrderedScores(layers, one.signed, one.magnitude, seed);
  const surveys = await survey(
    ordered,
    layers.map(() => null),
    noPause,
  );
  const pool = layers.map((_, l) => l);
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  return { ordered, surveys, pool, total, layers };
}

function keptFlags(ordered: OrderedScores, l: number, cut: Parameters<typeof fillKeep>[2] | null): Uint8Array {
  const flags = new Uint8Array(ordered.layers[l]!.size).fill(1);
  if (cut === null) return flags;
  ordered.blocks(l, (keys, start, count) => {
    fillKeep(ordered, l, cut, keys, start, count, flags.subarray(start, start + count));
  });
  return flags;
}

describe.each(cases.map((c) => c.name))("%s", (name) => {
  it("removes exactly the weakest, at every count", async () => {
    const { ordered, surveys, pool, total } = await prepare(name);
    const order = sortedPlaces(ordered, pool);
    for (let remove = 0; remove <= total; remove += 1 + Math.floor(random() * 12)) {
      const { cut, kept } = select(ordered, surveys, pool, remove);
      const expected = new Map<number, Set<number>>(pool.map((l) => [l, new Set<number>()]));
      for (const place of order.slice(remove)) expected.get(place.layer)!.add(place.index);
      for (const l of pool) {
        const flags = keptFlags(ordered, l, cut);
        expect(kept[l]).toBe(expected.get(l)!.size);
        flags.forEach((flag, index) => expect(flag === 1).toBe(expected.get(l)!.has(index)));
      }
    }
  });

  it("nests: what a higher sparsity keeps, a lower one keeps too", async () => {
    const { ordered, surveys, pool } = await prepare(name);
    let before: Uint8Array[] | null = null;
    for (const sparsity of [0.2, 0.5, 0.8, 0.95]) {
      const { layers } = makeMask(ordered, surveys, { ...defaultRecipe, sparsity });
      const flags = pool.map((l) => keptFlags(ordered, l, layers[l]!.cut));
      before?.forEach((earlier, l) => earlier.forEach((flag, i) => expect(flags[l]![i]! <= flag).toBe(true)));
      before = flags;
    }
  });

  it("finds the rank of each layer's last weight where sorting finds it", async () => {
    const { ordered, surveys, pool } = await prepare(name);
    const order = sortedPlaces(ordered, pool);
    const ranks = lastRanks(ordered, surveys, pool);
    for (const l of pool) expect(ranks[l]).toBe(order.findLastIndex((place) => place.layer === l) + 1);
  });

  it("keeps a layer alive just below its critical sparsity and kills it at it", async () => {
    const { ordered, surveys, pool, total } = await prepare(name);
    const ranks = lastRanks(ordered, surveys, pool);
    for (const l of pool) {
      expect(select(ordered, surveys, pool, ranks[l]! - 1).kept[l]).toBe(1);
      expect(select(ordered, surveys, pool, ranks[l]!).kept[l]).toBe(0);
      expect(ranks[l]).toBeLessThanOrEqual(total);
    }
  });

  it("has exact counts at every point of the survival table, and monotone ones between", async () => {
    const { ordered, surveys, pool, layers } = await prepare(name);
    const table = decodeSurvival(
      survivalTable(
        surveys,
        pool.map(() => false),
      ),
    );
    const sizes = layers.map((layer) => layer.size);
    for (let p = 0; p < table.removed.length; p++) {
      const { kept } = select(ordered, surveys, pool, table.removed[p]!);
      pool.forEach((l) => expect(table.kept[p * table.layers + l]).toBe(kept[l]));
    }
    let before: Float64Array = Float64Array.from(sizes);
    for (let s = 0; s < 1; s += 0.013) {
      const now = interpolateKept(
        table,
        sizes,
        pool.map(() => false),
        s,
        "global",
        new Float64Array(sizes.length),
      );
      now.forEach((value, l) => expect(value).toBeLessThanOrEqual(before[l]!));
      before = now;
    }
  });
});

it.each(cases.filter((c) => c.magnitude).map((c) => c.name))(
  "zeroes words in place exactly where the mask says: %s",
  async (name) => {
    const { ordered, surveys, pool, total } = await prepare(name);
    for (let remove = 1; remove <= total; remove += 1 + Math.floor(random() * 40)) {
      const { cut } = select(ordered, surveys, pool, remove);
      for (const l of pool) {
        const size = ordered.layers[l]!.size;
        const weights = new Float32Array(size);
        ordered.layers[l]!.field!.read(0, size, weights);
        // Signs are the weights' own; the mask must not see them.
        const signed = weights.map((weight, i) => (i % 2 === 0 ? weight : -weight));
        const flags = keptFlags(ordered, l, cut);
        clearWords(ordered, l, cut!, new Int32Array(signed.buffer), 0);
        signed.forEach((weight, i) => expect(Math.abs(weight)).toBe(flags[i] === 1 ? weights[i] : 0));
      }
    }
  },
);

describe("masks", () => {
  const recipe = (changes: Partial<Recipe>): Recipe => ({ ...defaultRecipe, ...changes });

  it("keeps round((1 − s)·N) of the model, and of each layer under scope layer", async () => {
    const { ordered, surveys, total, layers } = await prepare("distinct scores");
    for (let s = 0; s < 1; s += 0.0371) {
      const global = makeMask(ordered, surveys, recipe({ sparsity: s }));
      expect(global.layers.reduce((sum, layer) => sum + layer.kept, 0)).toBe(keptCount(total, s));
      const each = makeMask(ordered, surveys, recipe({ sparsity: s, scope: "layer" }));
      each.layers.forEach((layer, l) => expect(layer.kept).toBe(keptCount(layers[l]!.size, s)));
    }
  });

  it("leaves excluded layers whole and counts the sparsity over the others", async () => {
    const { ordered, surveys, total, layers } = await prepare("distinct scores");
    const mask = makeMask(ordered, surveys, recipe({ exclude: ["l2"] }));
    expect(mask.layers[2]!.kept).toBe(layers[2]!.size);
    const others = mask.layers.filter((_, l) => l !== 2).reduce((sum, layer) => sum + layer.kept, 0);
    expect(others).toBe(keptCount(total - layers[2]!.size, 0.9));
  });

  it("honours floors and still keeps k in all, as long as the floors leave room", async () => {
    const { ordered, surveys, total, layers } = await prepare("distinct scores");
    const mask = makeMask(ordered, surveys, recipe({ sparsity: 0.9, floors: { l0: 0.5, l1: 1 } }));
    expect(mask.layers[0]!.kept).toBe(Math.ceil(0.5 * layers[0]!.size));
    expect(mask.layers[1]!.kept).toBe(layers[1]!.size);
    expect(mask.layers.reduce((sum, layer) => sum + layer.kept, 0)).toBe(keptCount(total, 0.9));
  });

  it("refuses an id that no layer has", async () => {
    const { ordered, surveys } = await prepare("distinct scores");
    expect(() => makeMask(ordered, surveys, recipe({ exclude: ["nobody"] }))).toThrow(/no prunable layer "nobody"/);
  });

  it("refuses to rank NaN and infinity unless the layer is excluded", async () => {
    for (const bad of [NaN, Infinity]) {
      const layers = [arrayLayer("fine", scores(20, random)), arrayLayer("broken", Float32Array.of(1, bad, 2))];
      const ordered = new OrderedScores(layers, false, true, 0);
      const surveys = await survey(ordered, [null, null], noPause);
      expect(surveys.map((layer) => layer.nonFinite)).toEqual([0, 1]);
      expect(() => makeMask(ordered, surveys, defaultRecipe)).toThrow(/"broken"/);
      expect(makeMask(ordered, surveys, recipe({ exclude: ["broken"] })).layers[1]!.kept).toBe(3);
    }
  });

  it("breaks ties by the seed, not by the file's order", async () => {
    const first = await prepare("all scores equal", 1);
    const again = await prepare("all scores equal", 1);
    const other = await prepare("all scores equal", 2);
    const flags = ({ ordered, surveys }: typeof first): string =>
      [...keptFlags(ordered, 0, makeMask(ordered, surveys, recipe({ sparsity: 0.5 })).layers[0]!.cut)].join("");
    expect(flags(first)).toBe(flags(again));
    expect(flags(first)).not.toBe(flags(other));
    // A mask that followed the file's order would be one run of zeros and one of ones.
    expect(flags(first).match(/01|10/g)!.length).toBeGreaterThan(5);
  });
});
