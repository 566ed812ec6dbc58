/**
 * What theory and measurements say of a model, beside the report of an analysis: results of the jobs `theory` (weights
 * alone), `collapse` (one mask), `measure` (runs on data) and `remedies` (what would help, computed).
 */
import type { ErrorData } from "./errors.js";
import type { LayerId } from "./model.js";
import type { Recipe } from "./recipe.js";
import type { Risk } from "./report.js";
import type { PermutationReport } from "./sparsity.js";

// ------------------------------------------------------------------------------------------------ theory

/** Whether weights look as they were drawn, or as training left them. */
export type Origin = "fresh" | "trained" | "unclear";

/** One thing that was looked at to tell fresh weights from trained ones. */
export interface OriginVote {
  readonly test: "batch-norm" | "biases" | "distribution" | "spectrum";
  readonly verdict: Origin;
  /** What was found, with its figures, in a sentence. */
  readonly words: string;
}

export interface OriginReport {
  readonly verdict: Origin;
  readonly votes: readonly OriginVote[];
}

/** Why mean-field theory does not cover a layer, or covers it in part only. */
export interface TheoryLimit {
  readonly kind:
    | "normalised"
    | "residual"
    | "attention"
    | "gated"
    | "tied"
    | "recurrent"
    | "quantised"
    | "last"
    | "no-activation"
    | "unknown-activation"
    | "scaled"
    | "several-uses"
    | "unknown-axes"
    | "computed-bias"
    | "zero-variance"
    | "out-of-range"
    | "non-finite";
  readonly words: string;
}

export interface PhaseView {
  readonly phase: "ordered" | "edge" | "chaotic";
  /** The variance that is reached; null when it grows without bound. */
  readonly q: number | null;
  readonly chi: number;
  readonly vPrime: number | null;
  /** Layers over which the squared gradient changes by a factor of e; null when unbounded. */
  readonly gradientDepth: number | null;
  readonly explanation: string;
}

export interface InitialisationView {
  readonly sigmaW: number;
  readonly sigmaB: number;
  /** Standard deviation of the weights: σ_w/√fan_in. */
  readonly deviation: number;
  readonly status: "stable" | "marginal" | "unstable" | "none";
  /** The variance that it keeps; null where it keeps any, or none. */
  readonly q: number | null;
}

export interface LayerTheory {
  readonly id: LayerId;
  /** Inputs of one sum; null where the weight's axes are not known. */
  readonly fanIn: number | null;
  /** √(fan_in · mean w²); null where fan_in is, or weights are not finite. */
  readonly sigmaW: number | null;
  /** √mean b²; 0 without a bias, null where it is no constant. */
  readonly sigmaB: number | null;
  /** Name of the bias tensor in the file. */
  readonly bias: string | null;
  /** mean(w)²/mean(w²): the theory takes it for 0. */
  readonly meanShare: number | null;
  /** The activation that follows, as `prunescope eoc` calls it. */
  readonly activation: string | null;
  readonly limits: readonly TheoryLimit[];
  /** Of the layer as it is; null where the theory says nothing. */
  readonly phase: PhaseView | null;
  /** What to draw it with instead; null where there is nothing to suggest. */
  readonly suggestion: InitialisationView | null;
  readonly origin: OriginReport;
}

/** The edge of chaos of an activation in the (σ_b, σ_w) plane. */
export interface EdgeView {
  readonly activation: string;
  readonly parts: readonly {
    readonly kind: "stable" | "marginal" | "unstable" | "missing";
    readonly points: readonly { readonly sigmaB: number; readonly sigmaW: number; readonly q: number | null }[];
  }[];
  /** At the σ_b of the suggestions. */
  readonly status: InitialisationView["status"];
  readonly explanation: string;
}

/** A sum of a shortcut and a residual branch. */
export interface ResidualBlockView {
  /** The Add node. */
  readonly node: string;
  readonly kind: "identity" | "projection";
  /** Whether an activation follows the sum directly. */
  readonly activationAfter: boolean;
  /** Prunable layers of the branch. */
  readonly branch: readonly LayerId[];
  /** Prunable layers of a projection shortcut. */
  readonly shortcut: readonly LayerId[];
}

export interface ResidualView {
  /** L: scaled additions. */
  readonly additions: number;
  readonly blocks: readonly ResidualBlockView[];
  /** Adds that only look residual, with the reason. */
  readonly rejected: readonly { readonly node: string; readonly reason: string }[];
  readonly words: string;
}

export interface TheoryReport {
  /** Of the model as a whole. */
  readonly origin: OriginReport;
  /** What the suggestions are for: training this architecture from scratch, or this very model. */
  readonly advice: string;
  /** σ_b of the suggestions. */
  readonly sigmaB: number;
  readonly layers: readonly LayerTheory[];
  readonly edges: readonly EdgeView[];
  readonly residual: ResidualView;
  /** Ready code by framework, empty where there is nothing to suggest. */
  readonly code: Readonly<Record<string, string>>;
  /** Mean square that inputs should have; null where any will do. */
  readonly inputScale: number | null;
  readonly notes: readonly string[];
}

// ---------------------------------------------------------------------------------------------- collapse

/** A layer under a mask, as far as paths through the whole network go. */
export interface EffectiveLayer {
  readonly id: LayerId;
  /** Kept weights that lie on a path from input to output; null where paths cannot be followed. */
  readonly effective: number | null;
}

export interface EffectiveBranch {
  /** The Add node of the residual block. */
  readonly node: string;
  /** No kept weight of the branch lies on a path. */
  readonly dead: boolean;
  /** Sparsity at which the branch dies; null when it does not, or cannot be told. */
  readonly cutSparsity: number | null;
}

export interface EffectiveReport {
  readonly layers: readonly EffectiveLayer[];
  /** Effective weights over prunable ones, among layers whose paths are followed. */
  readonly kept: number;
  readonly prunable: number;
  /** 1 − kept/prunable. */
  readonly sparsity: number;
  /** Whether anything gets from the inputs to the output. */
  readonly connected: boolean;
  /** Sparsity from which on nothing gets through; null where shortcuts without weights always do. */
  readonly cutSparsity: number | null;
  readonly branches: readonly EffectiveBranch[];
  /** Sentences: what is followed, what is not, trunk and branches apart. */
  readonly notes: readonly string[];
}

export interface CollapseReport {
  readonly resultId: string;
  readonly sparsity: number;
  /** In the order in which layers die. */
  readonly order: readonly { readonly id: LayerId; readonly sparsity: number }[];
  readonly criticalSparsity: number | null;
  readonly maxSparsity: number | null;
  readonly noSignal: readonly LayerId[];
  /** Of every layer in the model's order, with weights on no path counted as gone. */
  readonly risks: readonly Risk[];
  readonly effective: EffectiveReport | ErrorData;
}

// ----------------------------------------------------------------------------------------------- measure

export interface ConditioningLayer {
  readonly id: LayerId;
  readonly weights: number;
  /** m^l: mean over the layer of (w·∂L/∂w)². */
  readonly m: number;
  /** n_l·m^l. */
  readonly total: number;
}

/** An exponential m^l ∝ exp(rate·l), fitted to its logarithm over the layers in depth order. */
export interface ConditioningRate {
  /** Of ln m^l, a layer. */
  readonly rate: number;
  /** 95 % confidence. */
  readonly low: number;
  readonly high: number;
  readonly layers: number;
}

export interface Conditioning {
  readonly layers: readonly ConditioningLayer[];
  /** Of m^l; null with fewer than three layers that have a signal. */
  readonly rate: ConditioningRate | null;
  /** Of n_l·m^l. */
  readonly totalRate: ConditioningRate | null;
  /** max m^l/min m^l over layers with a signal. */
  readonly ratio: number | null;
  readonly totalRatio: number | null;
  /** In a sentence; one model is at most "consistent with" well-conditioned. */
  readonly verdict: string;
}

/** A layer's pre-activations, and the gradients by them. */
export interface PropagationLayer {
  readonly id: LayerId;
  /** Mean square of what goes into the layer. */
  readonly input: number | null;
  /** q^l: mean square of the pre-activations, bias included. */
  readonly q: number | null;
  /** Mean correlation of two samples' pre-activations; null with one sample. */
  readonly c: number | null;
  /** q^l over that of the layer before on the path; null for the first. */
  readonly forwardGain: number | null;
  /** Mean square of the gradient by the pre-activations, summed over a sample. */
  readonly gradient: number | null;
  /** What the squared gradient is multiplied by on its way from this layer to the one before; null for the first. */
  readonly backwardGain: number | null;
  /** The maps applied to what was measured one layer before; null where the theory does not cover the layer. */
  readonly predicted: { readonly q: number; readonly c: number | null; readonly chi: number } | null;
}

export interface Propagation {
  readonly layers: readonly PropagationLayer[];
  readonly notes: readonly string[];
}

/** How far the masks of several seeds or batches agree. */
export interface Stability {
  readonly sparsity: number;
  readonly runs: number;
  /** Share of kept weights that two masks have in common, over all pairs. */
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  /** What differed between the runs: seeds or batches. */
  readonly varied: "seeds" | "batches";
  readonly words: string;
}

export interface MeasureReport {
  readonly loss: number | null;
  readonly batchNorm: "stored" | "batch" | null;
  readonly conditioning: Conditioning | ErrorData;
  readonly propagation: Propagation | ErrorData;
  /** On request. */
  readonly stability: Stability | ErrorData | null;
  readonly notes: readonly string[];
}

// ---------------------------------------------------------------------------------------------- remedies

export type RemedyKind = "criterion" | "schedule" | "floor" | "quota" | "exclude" | "initialisation" | "stable-resnet";

export interface Remedy {
  readonly kind: RemedyKind;
  readonly title: string;
  /** The recipe with it. */
  readonly recipe: Recipe;
  /** s_cr with it, computed; null when nothing can be ranked. */
  readonly criticalSparsity: number | null;
  /** Layers that are gone at the recipe's sparsity. */
  readonly collapsed: number;
  readonly seconds: number;
  /** What to know about it. */
  readonly words: string;
}

export interface RemediesReport {
  readonly sparsity: number;
  /** As it is. */
  readonly criticalSparsity: number | null;
  readonly collapsed: number;
  /** Seconds that were allowed, and taken. */
  readonly budget: number;
  readonly seconds: number;
  /** Best first. */
  readonly remedies: readonly Remedy[];
  readonly skipped: readonly { readonly kind: RemedyKind; readonly title: string; readonly reason: string }[];
}

// ------------------------------------------------------------------------------------------------- edits

/** A tensor, other than by the mask, that a save changes or a node that it adds. */
export interface EditReport {
  readonly edit: "eoc-init" | "permute" | "stable-resnet" | "rescale";
  /** Of all of it, in a sentence. */
  readonly words: string;
  /** Tensors that were changed and nodes that were added, by name, each with what happened. */
  readonly changes: readonly { readonly name: string; readonly words: string }[];
  /** Figures measured before and after, in sentences. */
  readonly measured: readonly string[];
  /** Of an edit of kind `permute`. */
  readonly permutation?: PermutationReport;
}
