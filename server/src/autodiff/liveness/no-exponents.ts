/** No powers of two: the values of a network of zeros and ones need none. */
import type { Value } from "../../graph/builder.js";
import { Exponents, type Scaled } from "../linearise/exponents.js";

export class NoExponents extends Exponents {
  override normalised(of: Scaled): Scaled {
    return of;
  }

  override held(of: Scaled): Scaled {
    return of;
  }

  override aligned(all: readonly Scaled[]): {
    readonly values: readonly Value[];
    readonly exponent: Value;
    readonly loose: number;
  } {
    return { values: all.map(({ value }) => value), exponent: this.zero, loose: 0 };
  }
}
