/**
 * Restrictions remove weights before scores decide among the rest: an imported mask, then an N:M pattern. What one removes
 * gets the score `outside`, below every other, so that cuts and all that works with them work on unchanged.
 */
import type { NumberField } from "../formats/stored-elements.js";
import { OrderedScores } from "./order.js";

/** The score of a weight that a restriction removes: the least finite float32. */
export const outside = -3.4028234663852886e38;

/** Something that removes weights whatever their scores. */
export interface Restriction {
  /** What it removes, as plain JSON: results under another identity are other results. */
  readonly identity: unknown;
  /**
   * The scores of layer `l` with {@link outside} for each weight that it removes; null where it removes nothing.
   * `scores` are as earlier restrictions left them: what is outside there stays outside. Fields are read while blocks of
   * `scores` are in use: read `scores.layers[l]`, not `scores.block`.
   */
  field(scores: OrderedScores, l: number): NumberField | null;
}

/** The scores under all restrictions, the first one applied first. Scores that were never negative become signed. */
export function restricted(scores: OrderedScores, restrictions: readonly Restriction[]): OrderedScores {
  return restrictions.reduce((before, restriction) => {
    const layers = before.layers.map((layer, l) => {
      const field = layer.field === null ? null : restriction.field(before, l);
      return field === null ? layer : { ...layer, field };
    });
    return new OrderedScores(layers, true, before.magnitudeDecided, before.seed);
  }, scores);
}
