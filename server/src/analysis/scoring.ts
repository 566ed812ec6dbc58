/**
 * From a model and a recipe to ranked scores: runs the criterion, surveys its scores once, finds the rank at which each
 * layer dies, and keeps all that in the cache under an id that depends on the file and on what changes scores.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Recipe } from "../../protocol/recipe.js";
import { criteria, criterionNamed } from "../criteria/index.js";
import { changesInRounds, inRounds } from "../criteria/rounds.js";
import type { Circumstance } from "../autodiff/sensitivity.js";
import type { Criterion } from "../criteria/criterion.js";
import { storedElements } from "../formats/stored-elements.js";
import { lastRanks } from "../pruning/critical.js";
import { excludedLayers, makeMask, type Mask } from "../pruning/mask.js";
import { type OrderedLayer, OrderedScores } from "../pruning/order.js";
import { restricted } from "../pruning/restrict.js";
import { type LayerSurvey, outputLayout, survey } from "../pruning/survey.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { type Restrictions, restrictionsOf, unrestricted } from "./restrictions.js";
import { ResultCache } from "./result-cache.js";
import { type BatchRecipe, resultIdOf, scoresOf } from "./scores.js";

/** Scores of a model in their order, and what one pass over them told. */
export interface RankedScores extends Ranked {
  readonly resultId: string;
  readonly criterion: Criterion;
  /** How gradients were taken; null when none were. */
  readonly circumstance: Circumstance | null;
  /** Why the criterion has no score for a layer; null where it has one. */
  readonly unscored: readonly (string | null)[];
  /** Layers that are left dense: the recipe says so, or they have no score. */
  readonly excluded: readonly boolean[];
  /** Weights in layers that are not excluded: N of every formula. */
  readonly total: number;
  /** The scores as the criterion gave them, where `scores` and `surveys` are those under restrictions; else the same. */
  readonly plain: Omit<Ranked, "lastRanks">;
  /** What removes weights before scores decide. */
  readonly restrictions: Restrictions;
  readonly cache: ResultCache | null;
}

interface Ranked {
  readonly scores: OrderedScores;
  readonly surveys: readonly LayerSurvey[];
  /** Rank of each layer's strongest weight among all that are not excluded; null for excluded and unrankable layers. */
  readonly lastRanks: readonly (number | null)[];
}

type Cached = Omit<Ranked, "scores">;

/** The criterion of a recipe. @throws PruneScopeError `bad-request` naming those there are. */
export function criterionOf(recipe: Recipe): Criterion {
  const criterion = criterionNamed(recipe.criterion);
  if (criterion !== undefined) return criterion;
  const known = criteria.map(({ id }) => id).join(", ");
  throw new PruneScopeError("bad-request", `There is no criterion "${recipe.criterion}". Choose one of: ${known}.`);
}

/** Scores of the weights of `open` in their order, before anything is restricted or ranked. */
export interface OpenScores extends Pick<
  RankedScores,
  "criterion" | "circumstance" | "unscored" | "cache" | "excluded"
> {
  readonly scores: OrderedScores;
}

/** Scores the weights of `open`; in rounds where the recipe says so. @throws PruneScopeError what scoring throws. */
export async function openScores(open: OpenModel, recipe: BatchRecipe, context: JobContext): Promise<OpenScores> {
  const { weights } = open.search;
  const criterion = scheduledCriterion(recipe, weights);
  if (weights.length === 0) {
    throw new PruneScopeError(
      "missing-data",
      "The model has no prunable weights: no Conv, ConvTranspose, Gemm, MatMul or recurrent layer with a constant weight.",
      {
        file: open.path,
      },
    );
  }
  const elements = weights.map((weight) => storedElements(open.source, weight));
  const cache = context.storage === null ? null : new ResultCache(context.storage, context.settings.cacheMaxSize);
  const { fields, circumstance } = await scoresOf(open, criterion, recipe, elements, cache, context);
  const unscored = weights.map((_, i) => circumstance?.reasons[i] ?? null);
  const layers = weights.map((weight, i) => ({
    id: weight.id,
    size: weight.size,
    field: fields[i]!,
    elements: elements[i]!,
    form: quotaForm(weight),
  }));
  const scores = new OrderedScores(
    layers,
    criterion.signed,
    criterion.isMagnitude && !weights.some(isDouble),
    recipe.seed,
  );
  return { criterion, circumstance, unscored, cache, scores, excluded: excludedLayers(scores, recipe) };
}

/** Scores and ranks the weights of `open`, from the cache where they are there; in rounds where the recipe says so. */
export async function rankScores(open: OpenModel, recipe: BatchRecipe, context: JobContext): Promise<RankedScores> {
  const { scores, ...known } = await openScores(open, recipe, context);
  const resultId = resultIdOf(open.fingerprint, known.criterion, recipe);
  const ranked = await rankedBy(open, scores, known.excluded, resultId, known.cache, context);
  const total = totalOf(scores, known.excluded);
  const plain = { ...known, ...ranked, plain: ranked, resultId, total, restrictions: unrestricted };
  return withRestrictions(open, plain, recipe, known.cache, context);
}

/**
 * Ranked scores, which have no restrictions yet, under those of the recipe. Scores that cannot be ranked are left as they are.
 * @param unpacked where files that the recipe names are unpacked.
 */
async function withRestrictions(
  open: OpenModel,
  plain: RankedScores,
  recipe: BatchRecipe,
  unpacked: ResultCache | null,
  context: JobContext,
): Promise<RankedScores> {
  const { criterion, excluded, cache } = plain;
  const restrictions = await restrictionsOf(open, plain.scores, excluded, recipe, unpacked, context);
  const unrankable = plain.surveys.some((layer, l) => layer.nonFinite > 0 && excluded[l] !== true);
  if (restrictions.list.length === 0 || unrankable) return { ...plain, restrictions };
  const identities = restrictions.list.map(({ identity }) => identity);
  const resultId = resultIdOf(open.fingerprint, criterion, recipe, identities);
  const scores = restricted(plain.scores, restrictions.list);
  const ranked = await rankedBy(open, scores, excluded, resultId, cache, context);
  return { ...plain, ...ranked, resultId, restrictions };
}

/** Surveys scores and ranks them, or takes from the cache what that told. */
async function rankedBy(
  { search: { weights } }: OpenModel,
  scores: OrderedScores,
  excluded: readonly boolean[],
  resultId: string,
  cache: ResultCache | null,
  context: JobContext,
): Promise<Ranked> {
  const cached = cache === null ? null : (cache.get(resultId) as Cached | null);
  if (cached !== null) return { scores, ...cached };

  const stage = "Reading weights";
  const all = weights.reduce((sum, weight) => sum + weight.size, 0);
  const layouts = weights.map((weight) => outputLayout(weight.shape, weight.roles, weight.sparse));
  const surveys = await survey(scores, layouts, async (done) => {
    context.progress({ stage, done, total: all });
    await context.checkpoint();
  });
  context.progress({ stage: "Finding where layers collapse", done: 0, total: 0 });
  await context.checkpoint();
  const result: Cached = { surveys, lastRanks: ranksOf(scores, surveys, excluded) };
  cache?.put(resultId, result);
  return { scores, ...result };
}

const totalOf = ({ layers }: OrderedScores, excluded: readonly boolean[]): number =>
  layers.reduce((sum, { size }, l) => sum + (excluded[l] === true ? 0 : size), 0);

/** Ranks of the strongest weights; with NaN among the scores weights have no order, so nothing has a rank. */
function ranksOf(
  scores: OrderedScores,
  surveys: readonly LayerSurvey[],
  excluded: readonly boolean[],
): (number | null)[] {
  const ranks: (number | null)[] = surveys.map(() => null);
  const pool = surveys.flatMap((_, l) => (excluded[l] === true ? [] : [l]));
  if (pool.some((l) => surveys[l]!.nonFinite > 0)) return ranks;
  lastRanks(scores, surveys, pool).forEach((rank, p) => (ranks[pool[p]!] = rank));
  return ranks;
}

/**
 * The same scores with the recipe's other choice of layers that are left dense, or of floors. It is looked at once, and not
 * kept.
 */
export function rankedAgain(
  open: OpenModel,
  { plain, ...ranked }: RankedScores,
  recipe: Recipe,
  context: JobContext,
): Promise<RankedScores> {
  const { scores, surveys } = plain;
  const excluded = excludedLayers(scores, recipe);
  const again = { scores, surveys, lastRanks: ranksOf(scores, surveys, excluded) };
  const total = totalOf(scores, excluded);
  const known = { ...ranked, ...again, plain, excluded, total, restrictions: unrestricted, cache: null };
  return withRestrictions(open, known, recipe, ranked.cache, context);
}

interface CachedMask {
  readonly recipe: string;
  readonly mask: Mask;
}

/**
 * The mask of a recipe for its scores. The last one of each result is kept in the cache: a model is mostly saved as it
 * was last looked at.
 */
export function maskOf(ranked: RankedScores, recipe: Recipe): Mask {
  const { cache, resultId, scores, surveys } = ranked;
  const key = `${resultId}.mask`;
  const identity = JSON.stringify([
    recipe.sparsity,
    recipe.pattern ?? null,
    recipe.scope,
    recipe.quota ?? null,
    recipe.floors,
  ]);
  const known = cache === null ? null : (cache.get(key) as CachedMask | null);
  if (known?.recipe === identity) return known.mask;
  const mask = makeMask(scores, surveys, recipe);
  cache?.put(key, { recipe: identity, mask } satisfies CachedMask);
  return mask;
}

/** The criterion of a recipe, with the recipe's rounds where they change anything. */
function scheduledCriterion(recipe: Recipe, weights: OpenModel["search"]["weights"]): Criterion {
  const criterion = criterionOf(recipe);
  const { rounds = 1, sparsity, scope, quota } = recipe;
  if (rounds === 1 || !changesInRounds(criterion)) return criterion;
  const forms = weights.map((weight) => ({ size: weight.size, ...quotaForm(weight) }));
  return inRounds(criterion, { rounds, sparsity, scope, ...(quota === undefined ? {} : { quota }) }, forms);
}

/** What quotas look at: axes along which it is several weights are none of its own. */
function quotaForm({ shape, roles }: OpenModel["search"]["weights"][number]): NonNullable<OrderedLayer["form"]> {
  const axes = shape.filter((_, axis) => !roles.batch.includes(axis));
  const extent = axes.reduce((sum, length) => sum + length, 0);
  return { extent, pointwise: axes.length > 1 && roles.spatial.every((axis) => shape[axis] === 1) };
}

const isDouble = (weight: OpenModel["search"]["weights"][number]): boolean => weight.tensor.dtype === "double";
