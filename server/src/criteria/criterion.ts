/**
 * What a pruning criterion is. It gives every weight a score, and higher means keep; what is removed at a sparsity is
 * decided afterwards from the scores alone.
 */
import type { PrunableWeight } from "../graph/prunable.js";

/** Scores of one weight, readable in blocks, in the order in which the elements are stored. */
export interface ScoreField {
  readonly size: number;
  /** Scores of the elements [start, start + count), count at most `blockElements`. */
  read(start: number, count: number, out: Float32Array): void;
}

/** What a criterion may use. */
export interface ScoringInput {
  readonly weights: readonly PrunableWeight[];
  /** Elements of weight `i`, block by block, as float32. */
  readonly values: (i: number) => ScoreField;
  readonly seed: number;
  readonly progress: (done: number, total: number) => void;
  /** Lets others run; throws when the work was cancelled. */
  readonly checkpoint: () => Promise<void>;
}

export interface Criterion {
  readonly id: string;
  readonly title: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  readonly reference: string;
  readonly needs: {
    /** Samples, and labels or targets for a loss. */
    readonly data: boolean;
    /** Order of derivatives it takes: 0, 1 or 2. */
    readonly gradientOrder: 0 | 1 | 2;
    /** Passes over the model. */
    readonly rounds: number;
  };
  /** Whether scores can be negative; else they are taken as they are, −0 as 0. */
  readonly signed: boolean;
  /** Whether the score is |w| itself, so that ties in score are ties in magnitude too. */
  readonly isMagnitude: boolean;
  /** One field per weight, in their order. */
  score(input: ScoringInput): Promise<readonly ScoreField[]>;
}
