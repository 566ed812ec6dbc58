/** What an analysis or a check found, layer by layer, under the rules of protocol/findings.ts. */
import type { Finding } from "../../protocol/findings.js";
import { patternText } from "../../protocol/pattern.js";
import type { LayerReport, Report } from "../../protocol/report.js";
import type { CheckReport, LayerCheck } from "../../protocol/sparsity.js";
import { count, percent } from "./text.js";

/** Findings of an analysis: layers at risk, and those that the recipe's pattern leaves dense. */
export function reportFindings(report: Report): Finding[] {
  const { pattern, sparsity } = report;
  return report.layers.flatMap((layer): Finding[] => {
    const of = (rule: Finding["rule"], message: string): Finding => ({
      rule,
      path: report.model.path,
      layer: layer.id,
      message: `Layer "${layer.id}" (${layer.op}) ${message}`,
    });
    const at = `at sparsity ${percent(sparsity, 2)} by ${report.criterion}`;
    const found: Finding[] = [];
    if (layer.risk === "collapsed") found.push(of("collapsed-layer", `has no weight left ${at}.`));
    if (layer.risk === "high") found.push(of("high-risk-layer", `is at high risk ${at}: ${riskReason(layer)}.`));
    if (layer.risk === "no-signal") found.push(of("no-signal-layer", `has no score that is not 0, ${at}.`));
    if (pattern !== undefined && layer.pattern?.use === "none" && !layer.excluded)
      found.push(of("pattern-impossible", `cannot hold ${patternText(pattern)}: ${layer.pattern.reason}.`));
    return found;
  });
}

/** What puts a layer at high risk, as far as the report knows. */
function riskReason({ criticalSparsity, deadOutputs, kept, parameters }: LayerReport): string {
  const left = `${count(kept)} of ${count(parameters)} weights are left`;
  const dead = deadOutputs !== null && deadOutputs > 0 ? `, ${percent(deadOutputs)} of its outputs have none` : "";
  return `${left}${dead}${criticalSparsity === null ? "" : `, the last goes at ${percent(criticalSparsity, 2)}`}`;
}

/** Findings of a check: layers that fail, cannot hold the pattern, or are empty. */
export function checkFindings({ pattern, layers }: CheckReport, path: string): Finding[] {
  return layers.flatMap((layer): Finding[] => {
    const of = (rule: Finding["rule"], message: string): Finding => ({
      rule,
      path,
      layer: layer.id,
      message: `Layer "${layer.id}" (${layer.op}) ${message}`,
    });
    const found: Finding[] = [];
    if (layer.sparsity === 1) found.push(of("collapsed-layer", "has no weight that is not 0."));
    if (layer.excluded === true) return found;
    if (layer.unchecked !== undefined)
      found.push(of("pattern-failed", `could not be checked for ${patternText(pattern)}: ${layer.unchecked}`));
    else if (layer.use === "none")
      found.push(of("pattern-impossible", `cannot hold ${patternText(pattern)}: ${layer.reason}.`));
    else if (layer.violations > 0)
      found.push(of("pattern-failed", `does not hold ${patternText(pattern)}: ${violationWords(layer, pattern.n)}.`));
    return found;
  });
}

/** How many groups of a layer fail, and where the first one begins. */
export function violationWords({ violations, groups, firstViolation, shape }: LayerCheck, n: number): string {
  const where = firstViolation === null ? "" : `, the first at [${coordinates(firstViolation, shape).join(", ")}]`;
  return `${count(violations)} of ${count(groups)} groups have more than ${n} weights that are not 0${where}`;
}

/** Coordinates of an element by its index. */
function coordinates(index: number, shape: readonly number[]): number[] {
  const result: number[] = [];
  let rest = index;
  for (const length of [...shape].reverse()) {
    result.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return result;
}
