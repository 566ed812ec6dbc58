/** Masks from nothing removed to everything, and what dies on the way. */
import { describe, expect, it } from "vitest";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { KeepFlags } from "../../server/src/pruning/keep-flags.js";
import { firstDead, type Ladder, ladderOf } from "../../server/src/pruning/ladder.js";
import { OrderedScores } from "../../server/src/pruning/order.js";
import { survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, sortedPlaces, uniform } from "../support/arrays.js";

const noPause = (): Promise<void> => Promise.resolve();

/** Three layers of scores with many ties, of weights some of which are 0; the second is left dense on request. */
async function ladder(changes: Partial<Recipe>, dense = false) {
  const random = uniform(5);
  const layers = [30, 7, 90].map((size, l) =>
    arrayLayer(
      `l${l}`,
      Float32Array.from({ length: size }, () => Math.floor(random() * 5)),
      Float64Array.from({ length: size }, () => Math.floor(random() * 5) - 2),
    ),
  );
  const scores = new OrderedScores(layers, false, false, 1);
  const surveys = await survey(scores, [null, null, null], noPause);
  const recipe = { ...defaultRecipe, ...changes, exclude: dense ? ["l1"] : [] };
  const made = ladderOf(scores, surveys, [false, dense, false], recipe);
  return { scores, ladder: made, flags: await KeepFlags.read(scores, noPause) };
}

const copy = (flags: readonly Uint8Array[]): number[][] => flags.map((one) => [...one]);

/** Some 30 rungs of a ladder, from few to many removed. */
const rungs = ({ last }: Ladder): number[] =>
  last === 1
    ? Array.from({ length: 31 }, (_, i) => i / 30)
    : [...Array.from({ length: Math.ceil(last / 4) }, (_, i) => 4 * i), last];

describe("flags of a ladder's masks", () => {
  it("are the order of removal, without weights that are 0", async () => {
    for (const dense of [false, true]) {
      const { scores, ladder: made, flags } = await ladder({}, dense);
      const order = sortedPlaces(scores, dense ? [0, 2] : [0, 1, 2]);
      expect(made.last).toBe(order.length);
      const weights = scores.layers.map(({ elements, size }) => {
        const out = new Float32Array(size);
        elements.read(0, size, out);
        return out;
      });
      for (const removed of rungs(made)) {
        const expected = weights.map((w) => Array.from(w, (one) => (one === 0 ? 0 : 1)));
        for (const { layer, index } of order.slice(0, removed)) expected[layer]![index] = 0;
        expect(copy(flags.of(made.mask(removed))).join()).toBe(expected.join());
        expect(made.sparsity(removed)).toBe(removed / order.length);
      }
    }
  });

  it.each<[string, Partial<Recipe>, boolean]>([
    ["globally", {}, false],
    ["globally, a layer left dense", {}, true],
    ["with a floor", { floors: { l0: 0.2 } }, false],
    ["layer by layer", { scope: "layer" }, false],
    ["by a quota", { quota: "erk" }, false],
  ])("nest, and are the same by steps as by masks: %s", async (_, changes, dense) => {
    const { ladder: made, flags } = await ladder(changes, dense);
    const { flags: stepped } = await ladder(changes, dense);
    let before: number[][] | null = null;
    for (const rung of rungs(made)) {
      const now = copy(flags.of(made.mask(rung)));
      const nested = before?.every((layer, l) => layer.every((flag, i) => now[l]![i]! <= flag)) ?? true;
      expect(nested).toBe(true);
      before = now;
    }
    const random = uniform(9);
    const all = rungs(made);
    const [low, high] = [all[Math.floor(all.length / 4)]!, all[Math.floor((3 * all.length) / 4)]!];
    for (let i = 0; i < 20; i++) {
      const rung = all[Math.floor(random() * all.length)]!;
      const bracket = rung > low && rung < high ? { alive: low, dead: high } : null;
      expect(copy(stepped.at(made, rung, bracket)).join()).toBe(copy(flags.of(made.mask(rung))).join());
    }
    expect(
      copy(stepped.none())
        .flat()
        .every((flag) => flag === 0),
    ).toBe(true);
  });

  it("count the zeros among what is kept", async () => {
    const { scores, ladder: made, flags } = await ladder({});
    const kept = made.mask(40).layers.reduce((sum, layer) => sum + layer.kept, 0);
    expect(kept).toBe(127 - 40);
    const ones = copy(flags.of(made.mask(40)))
      .flat()
      .reduce((sum, flag) => sum + flag, 0);
    expect(flags.zerosIn(made.mask(40))).toBe(kept - ones);
    expect(scores.layers).toHaveLength(3);
  });
});

describe("the first rung at which something is dead", () => {
  it("is found exactly for all targets together, with fewer probes than for each alone", async () => {
    const { ladder: made } = await ladder({});
    const truth = [1, 17, 64, 65, 127];
    let probes = 0;
    const found = await firstDead(
      made,
      truth.map(() => ({ alive: 0, dead: made.last })),
      Infinity,
      (rung) => {
        probes++;
        return Promise.resolve(truth.map((dead) => rung < dead));
      },
    );
    expect(found).toEqual(truth);
    expect(probes).toBeLessThan(truth.length * Math.ceil(Math.log2(made.last)));
  });

  it("is the least sparsity with its mask where layers are pruned by themselves", async () => {
    const { ladder: made } = await ladder({ scope: "layer" });
    // Of 7 weights fewer than 3 are kept.
    const probe = (s: number): Promise<boolean[]> => Promise.resolve([Math.round((1 - s) * 7) >= 3]);
    let probes = 0;
    const [found] = await firstDead(made, [{ alive: 0, dead: 1 }], Infinity, (s) => (probes++, probe(s)));
    expect(await probe(found!)).toEqual([false]);
    expect(await probe(found! - 1e-12)).toEqual([true]);
    // Sparsities with the same mask are not looked at twice: 127 masks, and 53 bits of a float.
    expect(probes).toBeLessThan(20);
  });

  it("is not known where probes ran out", async () => {
    const { ladder: made } = await ladder({});
    const truth = [64, 100];
    const found = await firstDead(
      made,
      truth.map(() => ({ alive: 0, dead: made.last })),
      7,
      (rung) => Promise.resolve(truth.map((dead) => rung < dead)),
    );
    expect(found).toEqual([64, null]);
  });
});
