/**
 * A mask says which weights are kept. It is made from scores alone and is stored as one cut per layer, never as one
 * flag per weight: whether a weight is kept follows from its place in the order.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { keptCount, type Recipe } from "../../protocol/recipe.js";
import { comparePlaces, type OrderedLayer, type OrderedScores, outsideKey } from "./order.js";
import { type QuotaLayer, quotaCounts } from "./quotas.js";
import { type Cut, select, wholeTie } from "./select.js";
import { type LayerSurvey, survivors } from "./survey.js";

/** What happens to one layer: `cut` null keeps all of it. */
export interface LayerMask {
  readonly cut: Cut | null;
  readonly kept: number;
}

export interface Mask {
  readonly layers: readonly LayerMask[];
  /** The cut that the layers of the global pool share; null under scope `layer` or a quota, or when nothing is removed. */
  readonly globalCut: Cut | null;
}

/**
 * The mask of a recipe. Under scope `global`, k = round((1 − s)·N) of the N weights in layers that are not excluded are
 * kept, those with the highest scores; a layer that would fall below its floor keeps its strongest
 * ⌈floor · size⌉ weights instead, and the rest is chosen among the others. Under scope `layer` each layer keeps
 * round((1 − s)·n), under a quota its share of k, whatever the scope; floors hold there too. What restrictions remove is
 * removed in any case: of all counts, no more are kept than they leave.
 * @throws PruneScopeError `non-finite` when a layer that is not excluded has scores that are NaN or infinite.
 */
export function makeMask(scores: OrderedScores, surveys: readonly LayerSurvey[], recipe: Recipe): Mask {
  const excluded = excludedLayers(scores, recipe);
  refuseNonFinite(scores, surveys, excluded);
  const layers: LayerMask[] = surveys.map((layer) => ({ cut: null, kept: layer.size }));
  const floors = floorCounts(scores, surveys, recipe);
  const floor = (l: number): number => floors[l]!;
  const single = (l: number, wanted: number): void => {
    const kept = Math.min(wanted, survivors(surveys[l]!));
    const { cut } = select(scores, surveys, [l], surveys[l]!.size - kept);
    layers[l] = { cut, kept };
  };
  let pool = surveys.map((_, l) => l).filter((l) => !excluded[l]);
  if (recipe.quota !== undefined) {
    const quotaLayers = pool.map((l) => quotaLayer(scores.layers[l]!));
    const keep = keptCount(
      quotaLayers.reduce((sum, { size }) => sum + size, 0),
      recipe.sparsity,
    );
    const counts = quotaCounts(quotaLayers, keep, recipe.quota, pool.map(floor));
    pool.forEach((l, p) => {
      single(l, counts[p]!);
    });
    return { layers, globalCut: null };
  }
  if (recipe.scope === "layer") {
    for (const l of pool) single(l, Math.max(floor(l), keptCount(surveys[l]!.size, recipe.sparsity)));
    return { layers, globalCut: null };
  }
  const total = pool.reduce((sum, l) => sum + surveys[l]!.size, 0);
  let keep = keptCount(total, recipe.sparsity);
  for (;;) {
    const size = pool.reduce((sum, l) => sum + surveys[l]!.size, 0);
    const left = pool.reduce((sum, l) => sum + survivors(surveys[l]!), 0);
    // With floors that ask for more than k in all, the floors win and everything else goes.
    const selection = select(scores, surveys, pool, size - Math.min(keep, left));
    const below = pool.filter((l, p) => selection.kept[p]! < floor(l));
    if (below.length === 0) {
      pool.forEach((l, p) => (layers[l] = { cut: selection.cut, kept: selection.kept[p]! }));
      return { layers, globalCut: selection.cut };
    }
    for (const l of below) {
      single(l, floor(l));
      keep -= floor(l);
    }
    keep = Math.max(0, keep);
    pool = pool.filter((l) => !below.includes(l));
    if (pool.length === 0) return { layers, globalCut: null };
  }
}

/** Fewest weights that each layer keeps by the recipe's floors: no more than restrictions leave. */
export function floorCounts(
  { layers }: OrderedScores,
  surveys: readonly LayerSurvey[],
  { floors }: Pick<Recipe, "floors">,
): number[] {
  return layers.map((layer, l) => Math.min(floorCount(layer, floors), survivors(surveys[l]!)));
}

/** Fewest weights that a layer keeps by its floor. */
export function floorCount({ id, size }: Pick<OrderedLayer, "id" | "size">, floors: Recipe["floors"]): number {
  // A layer may be called "constructor", or any other property that objects have of themselves.
  return Object.hasOwn(floors, id) ? Math.ceil(floors[id]! * size) : 0;
}

/** The mask of one layer that removes what restrictions remove, and nothing else. */
export const restrictedOnly = (kept: number): LayerMask => ({ cut: wholeTie(outsideKey), kept });

/** Whether a cut removes what restrictions remove, and nothing else. */
export const removesNoMore = ({ key, magnitude }: Cut, { signed }: OrderedScores): boolean =>
  signed && key === outsideKey && magnitude === Infinity;

/** A layer as quotas see it. */
export function quotaLayer({ size, form = { extent: size, pointwise: false } }: OrderedLayer): QuotaLayer {
  return { size, ...form };
}

/** Which layers are left dense: those that the recipe excludes, and those without a score. @throws PruneScopeError `bad-request` for an id that no layer has. */
export function excludedLayers(scores: OrderedScores, recipe: Recipe): boolean[] {
  const ids = new Set(scores.layers.map((layer) => layer.id));
  for (const id of [...recipe.exclude, ...Object.keys(recipe.floors)]) {
    if (!ids.has(id))
      throw new PruneScopeError("bad-request", `The model has no prunable layer "${id}".`, { value: id });
  }
  const wanted = new Set(recipe.exclude);
  return scores.layers.map((layer) => layer.field === null || wanted.has(layer.id));
}

function refuseNonFinite(scores: OrderedScores, surveys: readonly LayerSurvey[], excluded: readonly boolean[]): void {
  const bad = surveys.findIndex((layer, l) => layer.nonFinite > 0 && excluded[l] !== true);
  if (bad < 0) return;
  const { id } = scores.layers[bad]!;
  throw new PruneScopeError(
    "non-finite",
    `Layer "${id}" has ${surveys[bad]!.nonFinite} weights whose score is NaN or infinite, so its weights cannot be ranked. Exclude the layer, or mend the model.`,
    { value: id },
  );
}

/** Writes 1 into `keep[i]` for each element of the block that the mask keeps, else 0. */
export function fillKeep(
  scores: OrderedScores,
  l: number,
  cut: Cut,
  keys: Uint32Array,
  start: number,
  count: number,
  keep: Uint8Array,
): void {
  const { key: threshold } = cut;
  if (scores.signed) for (let i = 0; i < count; i++) keep[i] = keys[i]! > threshold ? 1 : 0;
  else {
    // Keys of unsigned scores are below 2^31, so as 32-bit integers the sign of a difference is the comparison: no
    // branch to mispredict, and no doubles.
    const words = new Int32Array(keys.buffer, keys.byteOffset, count);
    for (let i = 0; i < count; i++) keep[i] = (threshold - words[i]!) >>> 31;
  }
  if (cut.magnitude === Infinity) return;
  let magnitudes: Float64Array | null = null;
  for (let i = 0; i < count; i++) {
    const key = keys[i]!;
    if (key !== threshold) continue;
    magnitudes ??= scores.magnitudes(l, start, count);
    const place = { key, magnitude: magnitudes[i]!, hash: scores.hash(l, start + i), layer: l, index: start + i };
    keep[i] = comparePlaces(place, cut) > 0 ? 1 : 0;
  }
}

/**
 * Zeroes what the mask does not keep where the weights are float32 and the score is |w|, so that a stored word without
 * its sign is its own key: one pass over the words in place, and a second look only where a word ties with the cut.
 */
export function clearWords(scores: OrderedScores, l: number, cut: Cut, words: Int32Array, start: number): void {
  const threshold = cut.key;
  const wholeTie = cut.magnitude === Infinity;
  // Ties are left standing first, unless all of them go: whatever is above `below` is kept.
  const below = wholeTie ? threshold : threshold - 1;
  let tied = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const key = word & 0x7fffffff;
    words[i] = word & -((below - key) >>> 31);
    tied |= ((key ^ threshold) - 1) >>> 31;
  }
  if (tied === 0 || wholeTie) return;
  for (let i = 0; i < words.length; i++) {
    if ((words[i]! & 0x7fffffff) !== threshold) continue;
    const place = { key: threshold, magnitude: 0, hash: scores.hash(l, start + i), layer: l, index: start + i };
    if (comparePlaces(place, cut) <= 0) words[i] = 0;
  }
}

/** Share of a layer's outputs that have no weight left under `mask`; null when its outputs cannot be told apart. */
export function deadOutputShare(layer: LayerSurvey, mask: LayerMask): number | null {
  const { outputMax } = layer;
  if (outputMax === null) return null;
  if (mask.cut === null) return 0;
  // An output whose best score ties with the cut is counted as alive: some weight of that score is kept.
  const dead =
    mask.cut.magnitude === Infinity ? (key: number) => key <= mask.cut!.key : (key: number) => key < mask.cut!.key;
  let count = 0;
  for (const key of outputMax) if (dead(key)) count++;
  return count / outputMax.length;
}
