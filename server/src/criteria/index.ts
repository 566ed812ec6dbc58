/** Every criterion, one line each. */
import type { Criterion } from "./criterion.js";
import { magnitude } from "./magnitude.js";
import { random } from "./random.js";

export const criteria: readonly Criterion[] = Object.freeze([magnitude, random]);
