/**
 * What a model file holds: how sparse its layers are, and which N:M patterns they meet. Counted on the stored elements,
 * whoever wrote them.
 */
import type { LayerId } from "./model.js";
import type { NofM } from "./recipe.js";

/**
 * What a pattern along a layer's reduction axis may be good for: `kernel` a sparse kernel may be chosen for it (never:
 * it will be faster), `pattern-only` it can hold the pattern, but no sparse kernel is known to take it, `none` it cannot
 * hold it and is left dense.
 */
export type PatternUse = "kernel" | "pattern-only" | "none";

/** Whether a layer can hold a pattern, and why not, or why no kernel will use it; in a sentence. */
export interface Eligibility {
  readonly use: PatternUse;
  readonly reason: string;
}

/** How one layer stands to one pattern. */
export interface LayerCheck extends Eligibility {
  readonly id: LayerId;
  readonly name: string;
  readonly op: string;
  readonly weight: string;
  readonly shape: readonly number[];
  /** Groups of m along the reduction axis; 0 where the layer cannot hold the pattern. */
  readonly groups: number;
  /** Groups with more than n elements that are not 0. */
  readonly violations: number;
  /** Index in the stored tensor of the first element of the first group that fails; null when none does. */
  readonly firstViolation: number | null;
  /** Share of the layer's elements that are 0. */
  readonly sparsity: number;
  /** It was asked to be left out: it need not hold the pattern. */
  readonly excluded?: true;
  /** Why nothing could be counted, in a sentence; such a layer does not hold the pattern. */
  readonly unchecked?: string;
}

/** Result of the job `check`. */
export interface CheckReport {
  readonly pattern: NofM;
  /** Whether every layer that can hold the pattern does, and there is one. */
  readonly holds: boolean;
  readonly layers: readonly LayerCheck[];
  readonly seconds: number;
}

/** What one layer holds. */
export interface HeldLayer {
  readonly id: LayerId;
  readonly name: string;
  readonly op: string;
  readonly weight: string;
  /** Of the dense tensor. */
  readonly parameters: number;
  readonly zeros: number;
  readonly sparsity: number;
  /** The strictest patterns that every group meets, most zeros first; empty for a layer that is nearly dense. */
  readonly patterns: readonly NofM[];
  /** Output channels and input channels without a weight that is not 0, of how many; null where they cannot be told apart. */
  readonly emptyOutputs: { readonly count: number; readonly of: number } | null;
  readonly emptyInputs: { readonly count: number; readonly of: number } | null;
  /** The file stores only some elements (`sparse_initializer`). */
  readonly storedSparsely: boolean;
  /** Nodes that use the weight, where it is more than one. */
  readonly sharedBy: readonly string[];
  /** Why patterns and channels could not be counted, in a sentence. */
  readonly unchecked?: string;
}

/** Result of the job `held`: what is sparse before anything is pruned. Embeddings, norms and biases do not count. */
export interface HeldReport {
  readonly prunable: number;
  readonly zeros: number;
  readonly sparsity: number;
  readonly layers: readonly HeldLayer[];
  readonly seconds: number;
}

/** Share of zeros from which on a file counts as sparse. */
export const sparseShare = 0.01;

/** Whether a file is sparse enough that what it holds is worth telling. */
export const isSparse = ({ sparsity, layers }: HeldReport): boolean =>
  sparsity > sparseShare || layers.some(({ patterns }) => patterns.length > 0);

/** How much of the score of a layer under a pattern its permutation keeps. */
export interface PermutedLayer {
  readonly id: LayerId;
  /** Name of the set of channels that its input belongs to. */
  readonly channels: string;
  /** Share of the score that the pattern keeps, in the original order and in the new one. */
  readonly before: number;
  readonly after: number;
  /** 0 is the original order, 100 every row at its own best half; null where there is nothing to win. */
  readonly efficacy: number | null;
}

/** What a permutation of channels did. */
export interface PermutationReport {
  readonly layers: readonly PermutedLayer[];
  /** Layers whose input channels were left as they are, with the reason. */
  readonly left: readonly { readonly id: LayerId; readonly reason: string }[];
  /** Steps of the search by set of channels: a recipe that holds them is repeated exactly. */
  readonly moves: Readonly<Record<string, number>>;
  readonly seconds: number;
}
