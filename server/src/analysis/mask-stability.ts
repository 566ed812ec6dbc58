/** How far the masks of several seeds or batches agree: the share of kept weights that two of them have in common. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Stability } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import { blockElements } from "../formats/stored-elements.js";
import { fillKeep } from "../pruning/mask.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { criterionOf, maskOf, rankScores } from "./scoring.js";

/**
 * Scores the model with `runs` seeds, which choose other synthetic samples, another part of the data, or other sampled
 * labels. @throws PruneScopeError `bad-request` for a criterion whose mask does not depend on either.
 */
export async function stabilityOf(
  open: OpenModel,
  recipe: Recipe,
  runs: number,
  context: JobContext,
): Promise<Stability> {
  const criterion = criterionOf(recipe);
  if (!criterion.needs.data) {
    throw new PruneScopeError(
      "bad-request",
      `${criterion.title} looks at no data: its mask is the same for every batch. Choose a criterion that does, SNIP for example.`,
    );
  }
  const masks: Uint8Array[] = [];
  for (let run = 0; run < runs; run++) {
    context.progress({ stage: "Comparing masks", done: run, total: runs });
    masks.push(await keptBits(open, { ...recipe, seed: (recipe.seed + run) >>> 0 }, context));
  }
  const overlaps = masks.flatMap((a, i) => masks.slice(i + 1).map((b) => overlap(a, b)));
  const [mean, least, most] = [
    overlaps.reduce((sum, one) => sum + one, 0) / overlaps.length,
    Math.min(...overlaps),
    Math.max(...overlaps),
  ];
  const varied = recipe.data === undefined ? "seeds" : "batches";
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return {
    sparsity: recipe.sparsity,
    runs,
    mean,
    least,
    most,
    varied,
    words:
      `Masks of ${runs} ${varied} share ${percent(mean)} of what they keep (${percent(least)} to ${percent(most)}). ` +
      "Scores of few samples are noisy: 10 samples a class are advised.",
  };
}

/** One bit for each weight of layers that have scores: kept. */
async function keptBits(open: OpenModel, recipe: Recipe, context: JobContext): Promise<Uint8Array> {
  const ranked = await rankScores(open, recipe, context);
  const mask = maskOf(ranked, recipe);
  const bits = new Uint8Array(Math.ceil(ranked.total / 8));
  const keep = new Uint8Array(blockElements);
  let at = 0;
  for (const [l, { size }] of ranked.scores.layers.entries()) {
    if (ranked.excluded[l] === true) continue;
    const { cut } = mask.layers[l]!;
    const from = at;
    at += size;
    ranked.scores.blocks(l, (keys, start, count) => {
      if (cut === null) keep.fill(1, 0, count);
      else fillKeep(ranked.scores, l, cut, keys, start, count, keep);
      for (let i = 0; i < count; i++) {
        const bit = from + start + i;
        if (keep[i] === 1) bits[bit >> 3]! |= 1 << (bit & 7);
      }
    });
    await context.checkpoint();
  }
  return bits;
}

/** Share of the kept weights of `a` that `b` keeps as well, of the smaller of the two. */
function overlap(a: Uint8Array, b: Uint8Array): number {
  let [both, ofA, ofB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += ones[a[i]! & b[i]!]!;
    ofA += ones[a[i]!]!;
    ofB += ones[b[i]!]!;
  }
  const least = Math.min(ofA, ofB);
  return least === 0 ? 0 : both / least;
}

/** Bits that are set, by byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);
