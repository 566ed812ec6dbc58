/**
 * The report: what `analyze --format json` prints (schema `prunescope.report/1`) and what the view shows at rest.
 */
import type { EncodedArray } from "./codec.js";
import type { ErrorData } from "./errors.js";
import type { CollapseReport, EditReport, MeasureReport, RemediesReport, TheoryReport } from "./insights.js";
import type { LayerId } from "./model.js";
import type { ParityReport } from "./parity.js";
import type { NofM, Recipe, Scope } from "./recipe.js";
import type { Eligibility, HeldReport, PermutationReport } from "./sparsity.js";
import type { EncodedSurvival } from "./survival.js";

export const reportSchema = "prunescope.report/1";

/**
 * How close a layer is to collapse at the chosen sparsity: `collapsed` nothing is left; `high` it dies before density
 * falls to half the chosen one, or over 37 % of its outputs have no input left, or, where paths were followed, all that
 * is left of it is on none; `low` the same with a factor of 10, or over 5 %; `no-signal` all its scores are 0.
 */
export type Risk = "none" | "low" | "high" | "collapsed" | "no-signal";

/** Statistics of one layer's scores. */
export interface ScoreStatistics {
  readonly sum: number;
  readonly mean: number;
  readonly max: number;
  /** Square root of the mean square. */
  readonly rms: number;
  /** Share of scores that are exactly 0. */
  readonly zeroShare: number;
  /** Number of NaN and infinite scores; selection is refused while it is not 0 and the layer is not excluded. */
  readonly nonFinite: number;
}

export interface LayerReport {
  readonly id: LayerId;
  readonly name: string;
  readonly op: string;
  readonly weight: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly kept: number;
  readonly density: number;
  /** null where the criterion has no score for the layer. */
  readonly score: ScoreStatistics | null;
  /** Why the criterion has no score for the layer, which is left dense; null where it has one. */
  readonly unscored: string | null;
  /** Sparsity at which the last weight of the layer goes; null when it is excluded or cannot be ranked. */
  readonly criticalSparsity: number | null;
  /** Share of the layer's outputs that have no weight left; null when the weight has no output axis. */
  readonly deadOutputs: number | null;
  /** The layer is left dense: the recipe says so, or it has no score. */
  readonly excluded: boolean;
  readonly risk: Risk;
  /** How the layer stands to the recipe's pattern, and the share of its score that the pattern keeps; absent without one. */
  readonly pattern?: LayerPattern;
}

export interface LayerPattern extends Eligibility {
  /** Σ of what the pattern keeps over Σ of all scores; null where the layer does not get the pattern. */
  readonly retained: number | null;
}

export interface Report {
  readonly schema: typeof reportSchema;
  readonly model: {
    readonly path: string;
    readonly format: string;
    readonly parameters: number;
    readonly prunable: number;
  };
  readonly criterion: string;
  readonly sparsity: number;
  readonly scope: Scope;
  readonly seed: number;
  readonly loss: number | null;
  readonly batchNorm: "stored" | "batch" | null;
  /** Kept weights over prunable weights (excluded layers count as prunable), exactly. */
  readonly kept: number;
  /** Sparsity over all parameters of the model, beside the one over the prunable weights. */
  readonly sparsityOfAll: number;
  /** Sparsity at which the first layer is gone; null when nothing can be ranked. */
  readonly criticalSparsity: number | null;
  /** The largest sparsity at which every layer still has a weight. */
  readonly safeSparsity: number | null;
  /** Highest sparsity that any ranking could reach with a weight left in every layer: 1 − layers / N; layer by layer the smallest decides. */
  readonly maxSparsity: number | null;
  readonly zeroScoreShare: number;
  /** The recipe's pattern. */
  readonly pattern?: NofM;
  /** What the file holds before anything is pruned, where it is sparse already. */
  readonly held?: HeldReport;
  readonly notes: readonly string[];
  readonly layers: readonly LayerReport[];
  /** What goes beyond scores and mask, where it was asked for; an error says why a part is not there. */
  readonly theory?: TheoryReport | ErrorData;
  readonly collapse?: CollapseReport | ErrorData;
  readonly measured?: MeasureReport | ErrorData;
  readonly remedies?: RemediesReport | ErrorData;
  /** Of a model that was lowered to our graph: whether both compute the same. */
  readonly parity?: ParityReport | ErrorData;
}

/**
 * Distribution of a layer's scores on a log2 axis: `counts[i]` scores lie in [2^((first+i)/perOctave), next bin).
 * Zeros and non-finite scores are left out.
 */
export interface ScoreHistogram {
  readonly first: number;
  readonly perOctave: number;
  readonly counts: EncodedArray<"u32">;
}

/** A finished analysis: the report at the recipe's sparsity, and what the view needs to move the slider. */
export interface AnalysisResult {
  /** Id of scores; it depends on the file and on everything in the recipe that changes scores, not on the sparsity. */
  readonly resultId: string;
  readonly recipe: Recipe;
  readonly report: Report;
  readonly survival: EncodedSurvival;
  readonly histograms: readonly ScoreHistogram[];
}

/** Exact state of the layers at one sparsity, in the model's layer order. */
export interface ExactSurvival {
  readonly resultId: string;
  readonly sparsity: number;
  readonly scope: Scope;
  readonly kept: readonly number[];
  readonly deadOutputs: readonly (number | null)[];
  readonly risks: readonly Risk[];
  /** Score of the weakest weight that is kept over the whole model; null under scope `layer` or when all are kept. */
  readonly threshold: number | null;
}

/** What a save did, counted on the file that was written. */
export interface SaveReport {
  readonly path: string;
  readonly bytes: number;
  readonly recipe: Recipe;
  /** Weights of the prunable layers that are kept, of how many. */
  readonly kept: number;
  readonly prunable: number;
  /** Per layer: weights that the mask keeps, and zeros that were counted in the written file. */
  readonly layers: readonly {
    readonly id: LayerId;
    readonly parameters: number;
    readonly kept: number;
    readonly zeros: number;
    /** Of a recipe with a pattern: groups that hold it, counted in the written file, of how many. */
    readonly pattern?: LayerPattern & { readonly groups: number; readonly held: number };
  }[];
  readonly permutation?: PermutationReport;
  /** Changes besides the mask. */
  readonly edits: readonly EditReport[];
  /** What is to be known about the file, in sentences. */
  readonly notes: readonly string[];
  /** From the start of the job until the file had its name. */
  readonly writeSeconds: number;
  /** With reading it back. */
  readonly seconds: number;
}

/** Outputs of two models on the same input. */
export interface VerifyReport {
  /** What was fed, in a sentence. */
  readonly input: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    /** Largest |a − b|; null when the outputs have different shapes, or NaN stands against a number. */
    readonly maxDifference: number | null;
    readonly meanDifference: number | null;
    /** Largest |a| of the original's output, to see the difference against. */
    readonly maxOriginal: number;
  }[];
  /** Of a saved model that is lowered to our graph: whether both compute the same. */
  readonly parity?: ParityReport;
  readonly seconds: number;
}

/** Sizes of two files as they are and compressed (zip's deflate, level 6). */
export interface CompressReport {
  readonly original: { readonly bytes: number; readonly compressed: number };
  readonly pruned: { readonly bytes: number; readonly compressed: number };
  readonly seconds: number;
}
