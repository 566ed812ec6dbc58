/** Where layers collapse, against brute force: raise the sparsity one weight at a time until a layer is empty. */
import { describe, expect, it } from "vitest";
import { defaultRecipe, quotas, type Recipe } from "../../server/protocol/recipe.js";
import { criticalOf, type Ranking } from "../../server/src/pruning/collapse.js";
import { lastRanks } from "../../server/src/pruning/critical.js";
import { excludedLayers, makeMask } from "../../server/src/pruning/mask.js";
import { OrderedScores } from "../../server/src/pruning/order.js";
import { survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, uniform } from "../support/arrays.js";

/** Four layers of unequal scale, a third of the scores equal to others. */
async function ranking(recipe: Recipe, seed: number): Promise<Ranking> {
  const random = uniform(seed);
  const layers = [14, 9, 20, 6].map((size, l) => ({
    ...arrayLayer(
      `l${l}`,
      Float32Array.from({ length: size }, () => (random() < 0.35 ? 0.25 : random()) * (1 + (l % 3))),
      Float32Array.from({ length: size }, () => Math.round(4 * random())),
    ),
    form: { extent: 7 + l, pointwise: l === 3 },
  }));
  const scores = new OrderedScores(layers, false, false, 7);
  const surveys = await survey(
    scores,
    layers.map(() => null),
    () => Promise.resolve(),
  );
  const excluded = excludedLayers(scores, recipe);
  const pool = layers.flatMap((_, l) => (excluded[l] === true ? [] : [l]));
  const ranks = lastRanks(scores, surveys, pool);
  return {
    scores,
    surveys,
    excluded,
    lastRanks: layers.map((_, l) => ranks[pool.indexOf(l)] ?? null),
    total: pool.reduce((sum, l) => sum + layers[l]!.size, 0),
  };
}

/** The fewest removed weights with which each layer is empty; null when it never is. */
function bruteForce({ scores, surveys, total }: Ranking, recipe: Recipe): (number | null)[] {
  const gone: (number | null)[] = surveys.map(() => null);
  for (let removed = 1; removed <= total; removed++) {
    const { layers } = makeMask(scores, surveys, { ...recipe, sparsity: removed / total });
    layers.forEach(({ kept }, l) => {
      if (kept === 0) gone[l] ??= removed / total;
    });
  }
  return gone;
}

const recipes: readonly [string, Partial<Recipe>][] = [
  ["a global scope", {}],
  ["an excluded layer", { exclude: ["l2"] }],
  ["a floor", { floors: { l1: 0.2 } }],
  ["floors, and one of an excluded layer", { floors: { l0: 0.04, l2: 0.3, l3: 0.5 }, exclude: ["l3"] }],
  ["a floor of the strongest layer", { floors: { l2: 1 } }],
  ...quotas.map((quota): [string, Partial<Recipe>] => [quota, { quota }]),
  ...quotas.map((quota): [string, Partial<Recipe>] => [
    `${quota} with a floor and an excluded layer`,
    { quota, floors: { l3: 0.3 }, exclude: ["l1"] },
  ]),
];

describe.each(recipes)("under %s", (_, change) => {
  it("each layer is gone exactly where it is said to be", async () => {
    const recipe = { ...defaultRecipe, ...change };
    const ranked = await ranking(recipe, 2);
    const found = criticalOf(ranked, recipe);
    const expected = bruteForce(ranked, recipe);
    expect(found.layers).toEqual(expected);
    const least = Math.min(...expected.map((one) => one ?? Infinity));
    expect(found.first).toBe(least);
    expect(found.safe).toBeCloseTo(least - 1 / ranked.total, 12);
    const kept = makeMask(ranked.scores, ranked.surveys, { ...recipe, sparsity: found.safe! }).layers;
    expect(kept.every((layer) => layer.kept > 0)).toBe(true);
  });
});

it("a floored layer never goes under scope layer, and the others at just above 1 − 1/(2n)", async () => {
  const recipe: Recipe = { ...defaultRecipe, scope: "layer", floors: { l3: 0.1 } };
  const found = criticalOf(await ranking(recipe, 1), recipe);
  expect(found.layers[3]).toBeNull();
  expect(found.first).toBeCloseTo(1 - 0.5 / 9, 12);
});

it("says nothing of what cannot be ranked", async () => {
  const ranked = { ...(await ranking(defaultRecipe, 1)), lastRanks: [null, null, null, null] };
  for (const quota of [undefined, ...quotas])
    expect(criticalOf(ranked, { ...defaultRecipe, ...(quota === undefined ? {} : { quota }) })).toEqual({
      layers: [null, null, null, null],
      first: null,
      safe: null,
    });
});
