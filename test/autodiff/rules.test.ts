/**
 * Every rule against finite differences, over the cases in `cases/gradients`. A rule without a case of order 1 fails, and
 * so does `docs/operators.md` when it is not what the cases say (`npm run docs` writes it).
 */
import { describe, expect, it } from "vitest";
import { rules } from "../../server/src/autodiff/gradients/index.js";
import { gradientCases } from "../cases/gradients/index.js";
import { checkGradient } from "../support/gradient-check.js";

const labelOf = ({ op, domain = "" }: { op: string; domain?: string }): string =>
  domain === "" ? op : `${domain}.${op}`;

describe.each(rules.filter((rule) => rule.flat !== true).map(({ op }) => op))("%s", (op) => {
  const cases = gradientCases.filter((one) => labelOf(one) === op);

  it("has cases", () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  it.each(
    cases.flatMap((one) =>
      ([1, 2] as const).filter((order) => order <= (one.order ?? 1)).map((order) => ({ ...one, check: order })),
    ),
  )("order $check: $title", async ({ check, ...one }) => {
    const comparisons = await checkGradient(one, { order: check });
    for (const { analytic, numeric, tolerance } of comparisons)
      expect(Math.abs(analytic - numeric), `${analytic} is not ${numeric}`).toBeLessThanOrEqual(tolerance);
  });
});

it("has no case of an operator without a rule", () => {
  const known = new Set(rules.map(({ op }) => op));
  expect(gradientCases.map(labelOf).filter((op) => !known.has(op))).toEqual([]);
});
