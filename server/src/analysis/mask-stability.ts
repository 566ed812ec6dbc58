/**
 * How far masks agree that the same criterion makes from other data: the share of kept weights that two of them have in
 * common, over all pairs. Batches are disjoint parts of the data; without data, seeds make up samples and labels.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Stability } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import { blockElements } from "../formats/stored-elements.js";
import { fillKeep, makeMask } from "../pruning/mask.js";
import { OrderedScores } from "../pruning/order.js";
import { restricted } from "../pruning/restrict.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { type BatchRecipe, sensitivityInput } from "./scores.js";
import { criterionOf, rankScores } from "./scoring.js";

/**
 * Makes the mask of `recipe` at its sparsity `runs` times and compares. Ties are broken alike in every run, so that
 * only scores tell masks apart.
 * @throws PruneScopeError `bad-request` for a criterion that looks at no data, `missing-data` where labels are given
 * and there are too few samples for two batches.
 */
export async function stabilityOf(
  open: OpenModel,
  recipe: Recipe,
  runs: number,
  context: JobContext,
): Promise<Stability> {
  const { varied, recipes, words } = await variations(open, recipe, runs, context);
  const masks: Uint8Array[] = [];
  for (const [run, one] of recipes.entries()) {
    context.progress({ stage: "Comparing masks", done: run, total: recipes.length });
    masks.push(await keptBits(open, one, recipe.seed, context));
  }
  const overlaps = masks.flatMap((a, i) => masks.slice(i + 1).map((b) => overlap(a, b)));
  const mean = overlaps.reduce((sum, one) => sum + one, 0) / overlaps.length;
  const [least, most] = [Math.min(...overlaps), Math.max(...overlaps)];
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const said = [
    `Masks of ${masks.length} ${varied} at sparsity ${recipe.sparsity} have ${percent(mean)} of their kept weights in common (${percent(least)} to ${percent(most)} over all pairs).`,
    ...words,
    least === 1
      ? "Nothing that varies changes the mask."
      : "Scores of few samples are noisy: 10 samples a class are advised.",
  ];
  return { sparsity: recipe.sparsity, runs: masks.length, mean, least, most, varied, words: said.join(" ") };
}

/** What the runs differ in, and nothing else. */
async function variations(
  open: OpenModel,
  recipe: Recipe,
  runs: number,
  context: JobContext,
): Promise<
  Pick<Stability, "varied"> & { readonly recipes: readonly BatchRecipe[]; readonly words: readonly string[] }
> {
  const criterion = criterionOf(recipe);
  if (!criterion.needs.data) {
    throw new PruneScopeError(
      "bad-request",
      `${criterion.title} looks at no data: its mask is the same for every batch. Choose a criterion that does, SNIP for example.`,
    );
  }
  const { data } = await sensitivityInput(open, recipe, true, context);
  const { kind, samples, available, labels, targets } = data;
  const batches = Math.floor(available / samples);
  if (kind !== "synthetic" && batches > 1) {
    const used = Math.min(runs, batches);
    return {
      varied: "batches",
      recipes: Array.from({ length: used }, (_, part) => ({ ...recipe, part })),
      words: used < runs ? [`The data has ${available} samples, enough for ${batches} batches of ${samples}.`] : [],
    };
  }
  if (kind !== "synthetic" && (labels !== null || targets.length > 0)) {
    throw new PruneScopeError(
      "missing-data",
      `The data has ${available} samples, and two batches of ${samples} that share none need ${2 * samples}: give more data, or a smaller batch.`,
      { file: recipe.data ?? "" },
    );
  }
  return {
    varied: "seeds",
    recipes: Array.from({ length: runs }, (_, run) => ({ ...recipe, seed: (recipe.seed + run) >>> 0 })),
    words:
      kind === "synthetic"
        ? []
        : ["All of them look at the same samples, with other labels from the model's own softmax."],
  };
}

/** One bit for each weight of layers that have scores: kept. */
async function keptBits(open: OpenModel, recipe: BatchRecipe, seed: number, context: JobContext): Promise<Uint8Array> {
  const ranked = await rankScores(open, recipe, context);
  const { layers, signed, magnitudeDecided } = ranked.plain.scores;
  const plain = new OrderedScores(layers, signed, magnitudeDecided, seed);
  const scores = restricted(plain, ranked.restrictions.list);
  const mask = makeMask(scores, ranked.surveys, recipe);
  const bits = new Uint8Array(Math.ceil(ranked.total / 8));
  const keep = new Uint8Array(blockElements);
  let from = 0;
  for (const [l, { size }] of layers.entries()) {
    if (ranked.excluded[l] === true) continue;
    const { cut } = mask.layers[l]!;
    scores.blocks(l, (keys, start, count) => {
      if (cut === null) keep.fill(1, 0, count);
      else fillKeep(scores, l, cut, keys, start, count, keep);
      for (let i = 0; i < count; i++) {
        const bit = from + start + i;
        if (keep[i] === 1) bits[bit >> 3]! |= 1 << (bit & 7);
      }
    });
    from += size;
    await context.checkpoint();
  }
  return bits;
}

/** Share of the kept weights of one mask that the other keeps as well; of the smaller one where floors make them differ. */
function overlap(a: Uint8Array, b: Uint8Array): number {
  let [both, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += ones[a[i]! & b[i]!]!;
    ofA += ones[a[i]!]!;
    ofB += ones[b[i]!]!;
  }
  const least = Math.min(ofA, ofB);
  return least === 0 ? 1 : both / least;
}

/** Bits that are set, by byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);
