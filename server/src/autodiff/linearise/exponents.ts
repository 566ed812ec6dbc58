/**
 * Powers of two that keep the values of a linear network inside float32. A value stands for value · 2^exponent; before
 * an operator that can grow it, it is divided by the power of two that brings its largest element into (½, 1], and
 * before values are added they are brought to one exponent. Dividing by powers of two changes no digit, and because the
 * backward pass goes through the same factors, all scores share one factor.
 *
 * The factors follow from the values of the same run. They are made in a builder of their own, so that differentiation
 * can take them for constants.
 */
import type { GraphBuilder, Value } from "../../graph/builder.js";

/** value · 2^exponent. */
export interface Scaled {
  readonly value: Value;
  /** A scalar of the scaling graph. */
  readonly exponent: Value;
  /** Operators that may have changed the order of magnitude since it was last set to 1. */
  readonly loose: number;
}

/** What float32 bears: each may grow a value by nine orders of magnitude. */
const mostLoose = 3;

/** An exponent below every other: that of a value whose elements are all 0. */
const none = -1e9;

interface Level {
  /** Whether any element is above 0. */
  readonly live: Value;
  /** ⌈log₂ of the largest element⌉; 0 where there is none. */
  readonly log: Value;
}

export class Exponents {
  /** Scalars that the linear graph reads from the scaling graph. */
  readonly factors = new Set<Value>();
  readonly zero: Value;
  readonly #levels = new Map<Value, Level>();

  /** @param b builds the linear graph. @param s builds the scaling graph, which reads values of the linear graph. */
  constructor(
    readonly b: GraphBuilder,
    readonly s: GraphBuilder,
  ) {
    this.zero = s.scalar(0);
  }

  /** `of` with its largest element in (½, 1]. */
  normalised(of: Scaled): Scaled {
    if (of.loose === 0) return of;
    const { log } = this.#level(of.value);
    const value = this.#times(of.value, this.s.op("Pow", [this.s.scalar(0.5), log]));
    return { value, exponent: this.s.add(of.exponent, log), loose: 0 };
  }

  /** `of`, normalised if it may have grown too often. */
  held(of: Scaled): Scaled {
    return of.loose >= mostLoose ? this.normalised(of) : of;
  }

  /** What a change of magnitude gives: `value` is made of `from`. */
  grown(value: Value, from: Scaled): Scaled {
    return { value, exponent: from.exponent, loose: from.loose + 1 };
  }

  /** Values of `all` on one exponent, that of the largest. */
  aligned(all: readonly Scaled[]): {
    readonly values: readonly Value[];
    readonly exponent: Value;
    readonly loose: number;
  } {
    const { s } = this;
    if (new Set(all.map(({ exponent }) => exponent)).size === 1) {
      const held = all.map((one) => this.held(one));
      if (held.every((one, i) => one === all[i])) {
        const loose = Math.max(...held.map((one) => one.loose));
        return { values: held.map(({ value }) => value), exponent: held[0]!.exponent, loose };
      }
    }
    const levels = all.map(({ value }) => this.#level(value));
    const heights = all.map(({ exponent }, i) =>
      s.where(levels[i]!.live, s.add(exponent, levels[i]!.log), s.scalar(none)),
    );
    const exponent = s.op("Max", heights);
    const values = all.map((one, i) => {
      const power = s.op("Pow", [s.scalar(2), s.sub(one.exponent, exponent)]);
      return this.#times(one.value, s.where(levels[i]!.live, power, s.scalar(1)));
    });
    return { values, exponent, loose: 0 };
  }

  #level(value: Value): Level {
    const known = this.#levels.get(value);
    if (known !== undefined) return known;
    const { s } = this;
    const largest = s.op("ReduceMax", [value], { keepdims: 0 });
    const live = s.op("Greater", [largest, s.scalar(0)]);
    const log = s.op("Ceil", [s.scale(s.op("Log", [largest]), Math.LOG2E)]);
    // Powers up to 126 and their inverses are normal floats.
    const level = { live, log: s.where(live, s.op("Clip", [log, s.scalar(-126), s.scalar(126)]), s.scalar(0)) };
    this.#levels.set(value, level);
    return level;
  }

  #times(value: Value, factor: Value): Value {
    this.factors.add(factor);
    return this.b.mul(value, factor);
  }
}
