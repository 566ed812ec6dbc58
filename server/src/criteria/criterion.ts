/**
 * What a pruning criterion is. It gives every weight a score, and higher means keep; what is removed at a sparsity is
 * decided afterwards from the scores alone.
 */
import type { NumberField } from "../formats/stored-elements.js";
import type { PrunableWeight } from "../graph/prunable.js";

/** What a criterion may use. */
export interface ScoringInput {
  readonly weights: readonly PrunableWeight[];
  /** Elements of weight `i`, block by block, as float32. */
  readonly values: (i: number) => NumberField;
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
  score(input: ScoringInput): Promise<readonly NumberField[]>;
}
