/**
 * What a pruning criterion is. It gives every weight a score, and higher means keep; what is removed at a sparsity is
 * decided afterwards from the scores alone.
 */
import type { Recipe } from "../../protocol/recipe.js";
import type { Prospects } from "../autodiff/prospects.js";
import type { Reduction } from "../autodiff/plan.js";
import type { Circumstance, Sensitivity } from "../autodiff/sensitivity.js";
import type { NumberField } from "../formats/stored-elements.js";
import type { PrunableWeight } from "../graph/prunable.js";

/** What a criterion may use. */
export interface ScoringInput {
  readonly weights: readonly PrunableWeight[];
  /** Elements of weight `i`, block by block, as float32. */
  readonly values: (i: number) => NumberField;
  readonly seed: number;
  /** Which weights the recipe leaves dense. */
  readonly excluded: readonly boolean[];
  /** Derivatives of the loss; made when it is asked for. @throws PruneScopeError when the data does not fit. */
  readonly sensitivity: () => Promise<Sensitivity>;
  /** Scores of the file that the recipe names. @throws PruneScopeError `missing-data` where it names none. */
  readonly given: () => Promise<Scores>;
  readonly progress: (done: number, total: number) => void;
  /** Lets others run; throws when the work was cancelled. */
  readonly checkpoint: () => Promise<void>;
}

/** What a criterion found. */
export interface Scores {
  /** One field per weight, in their order; null where the criterion has no score for it. */
  readonly fields: readonly (NumberField | null)[];
  /** How gradients were taken; null when none were. A weight without a score has its reason there. */
  readonly circumstance: Circumstance | null;
}

/** Scores of a criterion that needs no gradient: there is one for every weight. */
export const dataFree = (fields: readonly NumberField[]): Scores => ({ fields, circumstance: null });

/** Rounds of scoring and removal, and what they end at. */
export interface Schedule extends Pick<Recipe, "sparsity" | "scope" | "quota"> {
  readonly rounds: number;
}

export interface Criterion {
  readonly id: string;
  /** Other names that it is known by. */
  readonly aliases: readonly string[];
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
    /** A file of scores, which the recipe names. */
    readonly file?: true;
  };
  /** Of a criterion that a recipe asks in rounds: its scores hold for it alone. */
  readonly schedule?: Schedule;
  /** Whether scores can be negative; else they are taken as they are, −0 as 0. */
  readonly signed: boolean;
  /** Whether the score is |w| itself, so that ties in score are ties in magnitude too. */
  readonly isMagnitude: boolean;
  /** Why it cannot run on a model, in a sentence, as far as its operators tell; null where that is not known to be so. */
  unavailable(prospects: Prospects): string | null;
  score(input: ScoringInput): Promise<Scores>;
}

/** A criterion that reduces the gradient of the loss to one number for each weight, never negative, in one pass. */
export const firstOrder = (
  words: Pick<Criterion, "id" | "aliases" | "title" | "summary" | "reference">,
  reduction: Reduction,
): Criterion => ({
  ...words,
  needs: { data: true, gradientOrder: 1, rounds: 1 },
  signed: false,
  isMagnitude: false,
  unavailable: ({ gradients }) => gradients,
  score: async ({ sensitivity }) => {
    const engine = await sensitivity();
    return engine.scores(await engine.gradients(reduction));
  },
});
