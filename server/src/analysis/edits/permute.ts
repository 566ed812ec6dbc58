/**
 * Channels in an order in which an N:M pattern keeps more of the score (Pool and Yu 2021, NeurIPS, "Channel permutations
 * for N:M sparsity"): each set of channels is searched for itself, and every tensor that shares it is reordered.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { EditReport } from "../../../protocol/insights.js";
import type { NofM, Permute, Recipe } from "../../../protocol/recipe.js";
import type { PermutationReport, PermutedLayer } from "../../../protocol/sparsity.js";
import type { TensorEdit } from "../../formats/format.js";
import type { NumberField } from "../../formats/stored-elements.js";
import { setsOf } from "../../graph/channels/axes.js";
import type { Channels } from "../../graph/channels/index.js";
import { axisOrder, type Orders } from "../../graph/channels/orders.js";
import type { ChannelSet } from "../../graph/channels/sets.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { searchPermutation } from "../../pruning/permutation/search.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";
import { channelsOf } from "../permutation/channels-of.js";
import { keptScoreOf } from "../permutation/kept-share.js";
import { scoreRows } from "../permutation/score-rows.js";
import { type SearchPlan, searchPlan, type SearchSet } from "../permutation/search-sets.js";
import { openScores } from "../scoring.js";
import { reordered } from "./reordered.js";

export interface PermuteEdits {
  readonly edits: readonly TensorEdit[];
  readonly report: EditReport & { readonly permutation: PermutationReport };
}

/**
 * Searches the orders for a recipe's pattern and criterion.
 * @throws PruneScopeError `bad-request` for scores and masks from a file, which are of the original order; what scoring throws.
 */
export async function permuteEdits(
  open: OpenModel,
  recipe: Recipe,
  pattern: NofM,
  permute: Permute,
  context: JobContext,
): Promise<PermuteEdits> {
  const began = performance.now();
  if (recipe.mask !== undefined || recipe.scores !== undefined) {
    throw new PruneScopeError(
      "bad-request",
      "Masks and scores from a file are of the model's own order of channels: leave out the file, or the permutation.",
      { file: open.path },
    );
  }
  const { weights } = open.search;
  const { scores, excluded, unscored } = await openScores(open, recipe, context);
  const fields = scores.layers.map(({ field }) => field);
  const untouched = weights.map((_, l) => {
    if (unscored[l] != null) return `it has no score: ${unscored[l]}`;
    return excluded[l] === true ? "it is left dense" : null;
  });
  const channels = await channelsUnlessRefused(open, recipe, context);
  const plan =
    typeof channels === "string"
      ? { sets: [], layers: [], left: weights.map(({ id }) => ({ id, reason: channels })) }
      : searchPlan(channels, weights, pattern, untouched);
  const found = await searched(plan.sets, fields, recipe, pattern, permute, context);
  const layers = await permutedLayers(plan, found, weights, fields, pattern, context);
  const { edits, changes } =
    typeof channels === "string" ? { edits: [], changes: [] } : edited(open, channels, found.orders, plan.sets);
  const { moves, sampled } = found;
  const seconds = (performance.now() - began) / 1000;
  // Some that were not asked move along.
  const left = plan.left.filter(({ id }) => !layers.some((layer) => layer.id === id));
  const permutation = { layers, left, moves, seconds };
  return {
    edits,
    report: {
      edit: "permute",
      words: wordsOf(permutation, pattern, found, sampled),
      changes,
      measured: [],
      permutation,
    },
  };
}

/** The channels, or why none can move. */
async function channelsUnlessRefused(
  { model, source }: OpenModel,
  { axes }: Recipe,
  context: JobContext,
): Promise<Channels | string> {
  context.progress({ stage: "Following channels", done: 0, total: 0 });
  await context.checkpoint();
  try {
    return await channelsOf({ model, source }, axes, context.settings.threads);
  } catch (error) {
    if (!(error instanceof PruneScopeError) || error.code === "cancelled") throw error;
    return `shapes are not known: ${error.message}`;
  }
}

interface Found {
  /** Of sets that move. */
  readonly orders: Orders;
  readonly names: ReadonlyMap<ChannelSet, string>;
  readonly moves: Readonly<Record<string, number>>;
  /** Sets of whose rows only some were looked at. */
  readonly sampled: readonly string[];
}

async function searched(
  sets: readonly SearchSet[],
  fields: readonly (NumberField | null)[],
  { seed }: Recipe,
  pattern: NofM,
  permute: Permute,
  context: JobContext,
): Promise<Found> {
  const orders = new Map<ChannelSet, Uint32Array>();
  const names = new Map<ChannelSet, string>();
  const moves: Record<string, number> = {};
  const sampled: string[] = [];
  const checkpoint = (): Promise<void> => context.checkpoint();
  for (const [done, one] of sets.entries()) {
    const stage = `Searching an order of the channels of ${one.name}`;
    context.progress({ stage, done, total: sets.length });
    const { scores, rows, columns, stride } = await scoreRows(one, fields, checkpoint);
    if (stride > 1) sampled.push(`"${one.name}" (every ${stride}th row)`);
    // The groups of one convolution share its time. A recipe with steps takes those, and none of sets that it does not name.
    const seconds = permute.seconds / Math.max(...one.columns.map(({ parts }) => parts));
    const steps = permute.moves === undefined ? undefined : (permute.moves[one.name] ?? 0);
    const result = await searchPermutation(scores, rows, columns, pattern, {
      seconds,
      ...(steps === undefined ? {} : { moves: steps }),
      seed,
      checkpoint,
      progress: (share) => {
        context.progress({ stage, done: done + share, total: sets.length });
      },
    });
    names.set(one.set, one.name);
    moves[one.name] = result.moves;
    if (result.after > result.before) orders.set(one.set, result.order);
  }
  return { orders, names, moves, sampled };
}

/** What each layer that was asked, or whose inputs move along, keeps before and after. */
async function permutedLayers(
  { layers }: SearchPlan,
  { orders, names }: Found,
  weights: readonly PrunableWeight[],
  fields: readonly (NumberField | null)[],
  pattern: NofM,
  context: JobContext,
): Promise<PermutedLayer[]> {
  const permuted: PermutedLayer[] = [];
  for (const [done, { layer, layout, axis, tensor }] of layers.entries()) {
    context.progress({ stage: "Measuring what the pattern keeps", done, total: layers.length });
    const own = tensor.axes[axis] ?? null;
    const order = axisOrder(own, orders);
    const asked = [...new Set(setsOf(own))].flatMap((set) => names.get(set) ?? []);
    if (order === null && asked.length === 0) continue;
    const kept = await keptScoreOf(fields[layer]!, layout, order, pattern, () => context.checkpoint());
    const { total, before, after, best } = kept;
    const share = (sum: number): number => (total > 0 ? sum / total : 0);
    permuted.push({
      id: weights[layer]!.id,
      channels: asked.length <= 3 ? asked.join(", ") : `${asked[0]!} and ${asked.length - 1} more`,
      before: share(before),
      after: share(after),
      efficacy: best > before ? (100 * (after - before)) / (best - before) : null,
    });
  }
  return permuted;
}

function edited(
  { source }: OpenModel,
  { tensors }: Channels,
  orders: Orders,
  sets: readonly SearchSet[],
): { edits: TensorEdit[]; changes: { name: string; words: string }[] } {
  const names = new Map(sets.map(({ set, name }) => [set, name]));
  const edits: TensorEdit[] = [];
  const changes: { name: string; words: string }[] = [];
  for (const { constant, axes } of tensors.values()) {
    const moves = axes.map((axis) => axisOrder(axis, orders));
    if (moves.every((move) => move === null)) continue;
    edits.push(reordered(source, constant, moves));
    const along = moves.flatMap((move, axis) => {
      if (move === null) return [];
      const by = [...new Set(setsOf(axes[axis]!))].flatMap((set) => (orders.has(set) ? (names.get(set) ?? []) : []));
      return [`axis ${axis} (channels of ${by.length <= 3 ? by.join(", ") : `${by[0]!} and ${by.length - 1} more`})`];
    });
    changes.push({ name: constant.name, words: `Reordered along ${along.join(" and ")}.` });
  }
  return { edits, changes };
}

function wordsOf(
  { layers, left, seconds }: PermutationReport,
  { n, m }: NofM,
  { orders }: Found,
  sampled: readonly string[],
): string {
  const percent = (values: readonly number[]): string =>
    `${((100 * values.reduce((sum, one) => sum + one, 0)) / values.length).toFixed(2)} %`;
  const shares = (of: (layer: PermutedLayer) => number): string => percent(layers.map(of));
  const kept =
    layers.length === 0
      ? ""
      : ` On average over ${layers.length} ${layers.length === 1 ? "layer" : "layers"} ${n}:${m} keeps ${shares(({ after }) => after)} of the score, ${shares(({ before }) => before)} in the original order.`;
  const rest =
    left.length === 0
      ? ""
      : ` Inputs of ${left.length} ${left.length === 1 ? "layer" : "layers"} were left as they are ("${left[0]!.id}": ${left[0]!.reason}).`;
  const some = sampled.length === 0 ? "" : ` For want of memory some rows decided for ${sampled.join(", ")}.`;
  const done =
    orders.size === 0
      ? `No order of channels was found in which ${n}:${m} keeps more of the score`
      : `Channels of ${orders.size} ${orders.size === 1 ? "set" : "sets"} reordered for ${n}:${m}; the dense model computes the same`;
  return `${done} (${seconds.toFixed(1)} s).${kept}${rest}${some}`;
}
