/** The report of `prunescope.report/1`, from ranked scores and a mask. */
import { encodeArray } from "../../protocol/codec.js";
import type { LayerReport, Report, Risk, ScoreHistogram, ScoreStatistics } from "../../protocol/report.js";
import { reportSchema } from "../../protocol/report.js";
import type { Recipe } from "../../protocol/recipe.js";
import { layerLabel } from "../graph/prunable.js";
import { criticalOf } from "../pruning/collapse.js";
import { deadOutputShare, type Mask } from "../pruning/mask.js";
import { firstNonFiniteKey } from "../pruning/order.js";
import { maxSparsity, riskOf } from "../pruning/risk.js";
import { hasNoSignal, type LayerSurvey } from "../pruning/survey.js";
import type { OpenModel } from "./open-model.js";
import { layerPatterns, patternNotes, restrictedShare } from "./pattern-report.js";
import type { RankedScores } from "./scoring.js";

/** What a mask does to each layer at its recipe's sparsity. */
export interface LayerState {
  readonly kept: number;
  readonly deadOutputs: number | null;
  readonly criticalSparsity: number | null;
  readonly risk: Risk;
}

/**
 * State of every layer; with `mask` null (scores that cannot be ranked) every weight counts as kept.
 * @param effective kept weights on a path from input to output, where they were counted.
 */
export function layerStates(
  ranked: RankedScores,
  recipe: Recipe,
  mask: Mask | null,
  effective: readonly (number | null)[] = [],
): LayerState[] {
  const critical = criticalOf(ranked, recipe);
  // A pattern, or an imported mask, may go beyond what the recipe's sparsity asks for.
  const sparsity = Math.max(recipe.sparsity, restrictedShare(ranked));
  return ranked.surveys.map((survey, l) => {
    const excluded = ranked.excluded[l] === true;
    const layerMask = mask?.layers[l] ?? { cut: null, kept: survey.size };
    const noSignal = (ranked.unscored[l] ?? null) === null && hasNoSignal(survey);
    const criticalSparsity = critical.layers[l] ?? null;
    const deadOutputs = deadOutputShare(survey, layerMask);
    const { kept } = layerMask;
    const risk =
      mask === null
        ? "none"
        : riskOf(
            {
              size: survey.size,
              kept,
              excluded,
              noSignal,
              criticalSparsity,
              deadOutputs,
              effective: effective[l] ?? null,
            },
            sparsity,
          );
    return { kept, deadOutputs, criticalSparsity, risk };
  });
}

/** Builds the report. `notes` are sentences to add to what the scores themselves ask to be said. */
export function makeReport(
  open: OpenModel,
  ranked: RankedScores,
  recipe: Recipe,
  mask: Mask | null,
  notes: readonly string[],
): Report {
  const states = layerStates(ranked, recipe, mask);
  const { excluded, total } = ranked;
  const { surveys } = ranked.plain;
  const { parameters, weights } = open.search;
  const prunable = weights.reduce((sum, weight) => sum + weight.size, 0);
  const patterns = layerPatterns(ranked);
  const layers = weights.map((weight, l): LayerReport => {
    const survey = surveys[l]!;
    const state = states[l]!;
    const unscored = ranked.unscored[l] ?? null;
    return {
      id: weight.id,
      ...layerLabel(weight),
      weight: weight.name,
      shape: weight.shape,
      parameters: weight.size,
      kept: state.kept,
      density: state.kept / weight.size,
      score: unscored === null ? statistics(survey, ranked.plain) : null,
      unscored,
      criticalSparsity: state.criticalSparsity,
      deadOutputs: state.deadOutputs,
      excluded: excluded[l] === true,
      risk: state.risk,
      ...(patterns === null ? {} : { pattern: patterns[l]! }),
    };
  });
  const kept = layers.reduce((sum, layer) => sum + layer.kept, 0);
  const critical = criticalOf(ranked, recipe);
  const pool = surveys.filter((_, l) => excluded[l] !== true);
  const zeros = pool.reduce((sum, layer) => sum + layer.zeros, 0);
  return {
    schema: reportSchema,
    model: { path: open.path, format: open.format.id, parameters, prunable },
    criterion: ranked.criterion.id,
    sparsity: recipe.sparsity,
    scope: recipe.scope,
    seed: recipe.seed,
    loss: ranked.circumstance?.loss ?? null,
    batchNorm: ranked.circumstance?.batchNorm ?? null,
    kept,
    sparsityOfAll: parameters === 0 ? 0 : (prunable - kept) / parameters,
    criticalSparsity: critical.first,
    safeSparsity: critical.safe,
    maxSparsity: maxSparsity(
      pool.map(({ size }) => size),
      recipe,
    ),
    zeroScoreShare: total === 0 ? 0 : zeros / total,
    ...(recipe.pattern === undefined ? {} : { pattern: recipe.pattern }),
    notes: [
      ...(ranked.circumstance?.notes ?? []),
      ...ranked.restrictions.notes,
      ...notes,
      ...patternNotes(ranked, recipe),
      ...reportNotes(open, ranked, recipe, zeros),
    ],
    layers,
  };
}

function statistics(survey: LayerSurvey, { scores }: RankedScores["plain"]): ScoreStatistics {
  const { sum, size, sumOfSquares, maxKey, zeros, nonFinite } = survey;
  // JSON has no NaN: statistics of a layer that holds one are said to be 0, and nonFinite says why.
  const finite = nonFinite === 0;
  return {
    sum: finite ? sum : 0,
    mean: finite ? sum / size : 0,
    max: finite ? scores.scoreOf(maxKey) : 0,
    rms: finite ? Math.sqrt(sumOfSquares / size) : 0,
    zeroShare: zeros / size,
    nonFinite,
  };
}

function reportNotes(open: OpenModel, ranked: RankedScores, recipe: Recipe, zeros: number): string[] {
  const notes: string[] = [];
  const bad = ranked.plain.surveys.flatMap((layer, l) => (layer.nonFinite > 0 ? [open.search.weights[l]!.id] : []));
  if (bad.length > 0) {
    notes.push(
      `NaN or infinite scores in ${bad.map((id) => `"${id}"`).join(", ")}: weights cannot be ranked until these layers are excluded.`,
    );
  }
  if ((recipe.rounds ?? 1) > 1 && ranked.criterion.schedule === undefined) {
    notes.push(
      ranked.criterion.needs.rounds > 1
        ? `${ranked.criterion.title} has ${ranked.criterion.needs.rounds} rounds of its own; the recipe's ${recipe.rounds} are not used.`
        : `Rounds change nothing: ${ranked.criterion.title} looks at each weight alone, whatever else is gone. It was scored once.`,
    );
  }
  const share = ranked.total === 0 ? 0 : zeros / ranked.total;
  if (share > 0 && recipe.sparsity < share && recipe.pattern === undefined) {
    notes.push(
      `${(100 * share).toFixed(1)} % of the scores are exactly 0; below that sparsity the seed, not the criterion, decides which weights go.`,
    );
  }
  return notes;
}

/** Bins per octave of the distributions. */
const perOctave = 8;

/**
 * Distribution of each layer's scores on a log2 axis. The survey's bins split an octave evenly in value, these evenly in
 * its logarithm: a bin that an edge cuts is shared out by width. Signed scores are left out: they have no logarithm.
 */
export function scoreHistograms({ criterion, plain }: Pick<RankedScores, "criterion" | "plain">): ScoreHistogram[] {
  const { scores, surveys } = plain;
  const position = (key: number): number => perOctave * Math.log2(scores.scoreOf(key));
  return surveys.map(({ histogram }) => {
    const counts = new Map<number, number>();
    const add = (at: number, count: number): void => {
      if (count > 0) counts.set(at, (counts.get(at) ?? 0) + count);
    };
    histogram.bins.forEach((bin, i) => {
      // Bin 0 holds the zeros; scores so small that they share it do not show on any axis.
      if (criterion.signed || bin === 0 || bin >= firstNonFiniteKey >>> 16) return;
      const count = histogram.counts[i]!;
      const low = scores.scoreOf(bin * 65536);
      const high = scores.scoreOf(bin * 65536 + 65535);
      const first = Math.floor(position(bin * 65536));
      const edge = 2 ** ((first + 1) / perOctave);
      const before = high <= edge ? count : Math.round((count * (edge - low)) / (high - low));
      add(first, before);
      add(first + 1, count - before);
    });
    const first = counts.size === 0 ? 0 : Math.min(...counts.keys());
    const last = counts.size === 0 ? -1 : Math.max(...counts.keys());
    const dense = Uint32Array.from({ length: last - first + 1 }, (_, i) => counts.get(first + i) ?? 0);
    return { first, perOctave, counts: encodeArray("u32", dense) };
  });
}
