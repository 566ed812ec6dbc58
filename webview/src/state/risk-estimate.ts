/**
 * The risk of a layer between two exact answers: from its critical sparsity by the same rule as the engine's, and from
 * the last exact share of dead outputs, which can only grow with the sparsity. At rest the engine's own word replaces
 * it.
 */
import type { Risk } from "../../../server/protocol/report.js";

/** What is known of a layer at the last exact sparsity. */
export interface Settled {
  sparsity: number;
  risk: Risk;
  /** Share of outputs without a weight; NaN when unknown. */
  deadOutputs: number;
}

/** Densities at which a layer that is gone counts as `high` and `low`: this part of the chosen one. */
const highFactor = 2;
const lowFactor = 10;
/** Shares of outputs without input that count as `high` and `low`. */
const highDead = 0.37;
const lowDead = 0.05;

/** Estimates the risk at `sparsity`; `kept` may be fractional. */
export function estimateRisk(
  kept: number,
  critical: number | null,
  sparsity: number,
  excluded: boolean,
  settled: Readonly<Settled>,
): Risk {
  if (excluded) return "none";
  if (settled.risk === "no-signal") return "no-signal";
  if (kept < 0.5) return "collapsed";
  // A comparison with NaN is false, as it should be for an unknown share.
  const dead = sparsity >= settled.sparsity ? settled.deadOutputs : 0;
  const diesBefore = (factor: number): boolean => critical !== null && critical <= 1 - (1 - sparsity) / factor;
  if (diesBefore(highFactor) || dead > highDead) return "high";
  return diesBefore(lowFactor) || dead > lowDead ? "low" : "none";
}
