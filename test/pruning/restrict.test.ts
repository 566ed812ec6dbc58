/** Restrictions against a plain list: what they remove goes first, whatever the scores, and all else is as without them. */
import { expect, it } from "vitest";
import { defaultRecipe, keptCount, quotas, type Recipe } from "../../server/protocol/recipe.js";
import { decodeSurvival, interpolateKept } from "../../server/protocol/survival.js";
import { arrayField, blockElements } from "../../server/src/formats/stored-elements.js";
import { KeepFlags } from "../../server/src/pruning/keep-flags.js";
import { ladderOf } from "../../server/src/pruning/ladder.js";
import { fillKeep, makeMask, type Mask } from "../../server/src/pruning/mask.js";
import { OrderedScores } from "../../server/src/pruning/order.js";
import { outside, restricted, type Restriction } from "../../server/src/pruning/restrict.js";
import { survey, survivors } from "../../server/src/pruning/survey.js";
import { survivalTable } from "../../server/src/pruning/survival-table.js";
import { arrayLayer, uniform } from "../support/arrays.js";

/** Removes each weight with a probability, in the layers that are named. */
function atRandom(share: number, seed: number, of: readonly number[]): Restriction {
  return {
    identity: seed,
    field: (scores, l) => {
      if (!of.includes(l)) return null;
      const random = uniform(seed + l);
      const field = scores.layers[l]!.field!;
      const values = new Float32Array(field.size);
      for (let start = 0; start < field.size; start += blockElements) {
        const block = values.subarray(start, start + blockElements);
        field.read(start, block.length, block);
      }
      return arrayField(values.map((value) => (random() < share ? outside : value)));
    },
  };
}

/** Two layers of more than a block with ties, one small, one that is left dense. */
async function network(restrictions: readonly Restriction[]): Promise<{
  readonly scores: OrderedScores;
  readonly surveys: Awaited<ReturnType<typeof survey>>;
  readonly values: readonly Float32Array[];
}> {
  const random = uniform(3);
  const values = [70_000, 66_000, 500, 300].map((size) =>
    Float32Array.from({ length: size }, () => Math.round(64 * random()) / 64),
  );
  const layers = values.map((list, l) => arrayLayer(`l${l}`, list));
  const scores = restricted(new OrderedScores(layers, false, true, 5), restrictions);
  const surveys = await survey(scores, [], () => Promise.resolve());
  return { scores, surveys, values };
}

function keptOf(scores: OrderedScores, mask: Mask): Uint8Array[] {
  return scores.layers.map(({ size }, l) => {
    const keep = new Uint8Array(size).fill(1);
    const { cut } = mask.layers[l]!;
    if (cut !== null)
      scores.blocks(l, (keys, start, count) => {
        fillKeep(scores, l, cut, keys, start, count, keep.subarray(start, start + count));
      });
    return keep;
  });
}

const count = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0);
const restrictions = [atRandom(0.3, 1, [0, 1]), atRandom(0.2, 50, [0])];
const recipe: Recipe = { ...defaultRecipe, exclude: ["l3"] };

it("leaves what they remove out of statistics, and counts it", async () => {
  const { surveys, scores, values } = await network(restrictions);
  const fields = scores.layers.map(({ field, size }) => {
    const all = new Float32Array(size);
    for (let start = 0; start < size; start += blockElements)
      field!.read(start, Math.min(blockElements, size - start), all.subarray(start, start + blockElements));
    return all;
  });
  surveys.forEach((layer, l) => {
    const left = values[l]!.filter((_, i) => fields[l]![i] !== outside);
    expect(survivors(layer)).toBe(left.length);
    // Sums of multiples of 1/64 are exact.
    expect(layer.sum).toBe(left.reduce((sum, value) => sum + value, 0));
    expect(layer.zeros).toBe(left.filter((value) => value === 0).length);
    expect(layer.nonFinite).toBe(0);
  });
  // Independent restrictions multiply: 0.7·0.8 of 70,000 are left within five standard deviations of 131.
  expect(Math.abs(survivors(surveys[0]!) - 39_200)).toBeLessThan(656);
});

it.each([0, 0.1, 0.3, 0.5, 0.9])(
  "keeps the strongest of what is left, k of all or all that is left (s = %d)",
  async (sparsity) => {
    const { scores, surveys } = await network(restrictions);
    const mask = makeMask(scores, surveys, { ...recipe, sparsity });
    const kept = keptOf(scores, mask);
    const pool = [0, 1, 2];
    const left = pool.reduce((sum, l) => sum + survivors(surveys[l]!), 0);
    const total = pool.reduce((sum, l) => sum + surveys[l]!.size, 0);
    expect(pool.reduce((sum, l) => sum + count(kept[l]!), 0)).toBe(Math.min(keptCount(total, sparsity), left));
    expect(kept.map(count)).toEqual(mask.layers.map((layer) => layer.kept));
    expect(count(kept[3]!)).toBe(300);
    const weakest = { kept: Infinity, removed: -Infinity };
    for (const l of pool)
      scores.blocks(l, (_keys, start, length, values) => {
        for (let i = 0; i < length; i++) {
          if (kept[l]![start + i] === 1) weakest.kept = Math.min(weakest.kept, values[i]!);
          else weakest.removed = Math.max(weakest.removed, values[i]!);
        }
      });
    expect(weakest.kept).toBeGreaterThan(outside);
    expect(weakest.kept).toBeGreaterThanOrEqual(weakest.removed);
  },
);

it("keeps no more than what is left in a layer under scope layer, under quotas, and under floors", async () => {
  const { scores, surveys } = await network(restrictions);
  const most = surveys.map(survivors);
  const byLayer = makeMask(scores, surveys, { ...recipe, sparsity: 0.4, scope: "layer" });
  expect(byLayer.layers.map(({ kept }) => kept)).toEqual(
    surveys.map(({ size }, l) => (l === 3 ? size : Math.min(most[l]!, keptCount(size, 0.4)))),
  );
  for (const quota of quotas) {
    const mask = makeMask(scores, surveys, { ...recipe, sparsity: 0.2, quota });
    expect(keptOf(scores, mask).map(count)).toEqual(mask.layers.map(({ kept }) => kept));
    mask.layers.forEach(({ kept }, l) => expect(kept).toBeLessThanOrEqual(most[l]!));
  }
  const floored = makeMask(scores, surveys, { ...recipe, sparsity: 0.9, floors: { l0: 0.95 } });
  expect(floored.layers[0]!.kept).toBe(most[0]);
});

it("has rungs from what restrictions leave down to nothing, one weight each, with flags that agree with masks", async () => {
  const { scores, surveys } = await network([...restrictions, atRandom(0.9, 90, [1])]);
  const excluded = [false, false, false, true];
  const ladder = ladderOf(scores, surveys, excluded, recipe);
  const left = [0, 1, 2].reduce((sum, l) => sum + survivors(surveys[l]!), 0);
  expect(ladder.last).toBe(left);
  const flags = await KeepFlags.read(scores, () => Promise.resolve());
  const within = { alive: left - 60, dead: left - 5 };
  for (const rung of [0, 1, 500, left - 60, left - 30, left - 6]) {
    const kept = keptOf(scores, ladder.mask(rung)).map(count);
    expect(kept.slice(0, 3).reduce((a, b) => a + b)).toBe(left - rung);
    const at = flags.at(ladder, rung, rung >= within.alive ? within : null);
    // Zeros among the weights count as not kept: there are none among the last sixty.
    if (rung >= within.alive) expect(at.map(count).slice(0, 3)).toEqual(kept.slice(0, 3));
  }
});

it("gives the survival table counts that stay until as much would be removed without restrictions", async () => {
  const { scores, surveys } = await network(restrictions);
  const excluded = [false, false, false, true];
  const table = decodeSurvival(survivalTable(surveys, excluded));
  const sizes = surveys.map(({ size }) => size);
  const gone = surveys.reduce((sum, layer) => sum + layer.outside, 0);
  for (const scope of ["global", "layer"] as const)
    for (const sparsity of [0, 0.1, gone / 136_500]) {
      const mask = makeMask(scores, surveys, { ...recipe, sparsity, scope });
      const shown = interpolateKept(table, sizes, excluded, sparsity, scope, new Float64Array(4));
      expect([...shown]).toEqual(mask.layers.map(({ kept }) => kept));
    }
});
