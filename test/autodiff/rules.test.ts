/**
 * Every rule against finite differences, over the cases in `cases/gradients`. A rule without a case of order 1 fails, and
 * so does `docs/operators.md` when it is not what the cases say (`npm run docs` writes it).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rules } from "../../server/src/autodiff/gradients/index.js";
import { checks } from "../cases/gradients/checks.js";
import { checkGradient } from "../support/gradient-check.js";
import { operatorsText } from "../support/operators-table.js";

const names = rules.map(({ op }) => op);
// Finite differences see neither steps nor what quantisation passes straight through (straight-through.test.ts).
const smooth = rules.filter((rule) => rule.flat !== true && rule.quantises !== true).map(({ op }) => op);

describe.each(smooth)("%s", (op) => {
  const own = checks.filter((check) => check.op === op);

  it("has a case of order 1", () => {
    expect(own.filter(({ order }) => order === 1).length).toBeGreaterThan(0);
  });

  it.each(own.map((check) => ({ ...check, title: check.one.title })))(
    "order $order: $title",
    async ({ order, one }) => {
      for (const { analytic, numeric, tolerance } of await checkGradient(one, { order }))
        expect(Math.abs(analytic - numeric), `${analytic} is not ${numeric}`).toBeLessThanOrEqual(tolerance);
    },
  );
});

describe("the list of rules", () => {
  it("has each operator once", () => {
    expect(names.filter((op, i) => names.indexOf(op) !== i)).toEqual([]);
  });

  it("has every operator that there is a case of", () => {
    expect(checks.map(({ op }) => op).filter((op) => !smooth.includes(op))).toEqual([]);
  });
});

describe("docs/operators.md", () => {
  it("says what these tests check (npm run docs)", () => {
    const path = join(import.meta.dirname, "../../docs/operators.md");
    expect(readFileSync(path, "utf8")).toBe(operatorsText(rules, checks));
  });
});
