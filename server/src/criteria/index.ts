/** Every criterion, one line each. */
import type { Criterion } from "./criterion.js";
import { grasp } from "./grasp.js";
import { imported } from "./imported.js";
import { magnitude } from "./magnitude.js";
import { random } from "./random.js";
import { snip } from "./snip.js";
import { synflow } from "./synflow/index.js";
import { taylor } from "./taylor.js";

export const criteria: readonly Criterion[] = Object.freeze([
  magnitude,
  snip,
  synflow,
  grasp,
  taylor,
  random,
  imported,
]);

/** The criterion of a name or alias. */
export const criterionNamed = (name: string): Criterion | undefined =>
  criteria.find(({ id, aliases }) => id === name || aliases.includes(name));
