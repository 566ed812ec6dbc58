/** Text for terminals and spreadsheets: nothing from a model acts on either. */
import { expect, it } from "vitest";
import { densityBar } from "../../server/src/analysis/report-text.js";
import { plain } from "../../server/src/analysis/text.js";
import { escapeJson, reportPage } from "../../server/src/analysis/report-html.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { noInsights, type ViewState } from "../../server/protocol/view.js";

const hostile = "</script><img src=x onerror=alert(1)>\u2028\u2029<!--";

it("escapes everything that could end a script element, and still is the same JSON", () => {
  const escaped = escapeJson({ [hostile]: hostile });
  expect(escaped).not.toMatch(/[<>&\u2028\u2029]/);
  expect(JSON.parse(escaped)).toEqual({ [hostile]: hostile });
});

it("makes a page in which a hostile title and state are text only", () => {
  const state: ViewState = {
    mode: "report",
    title: hostile,
    recipe: defaultRecipe,
    model: null,
    shapes: null,
    result: null,
    insights: noInsights,
    activity: { kind: "idle" },
    saved: null,
    banner: hostile,
  };
  const page = reportPage(state, { script: "0;", style: "p{}" });
  expect(page).not.toContain("<img");
  expect(page.match(/<\/script>/g)).toHaveLength(2);
});

it("takes control characters and direction marks out of a name", () => {
  expect(plain("a\u001b[31m\u0007\u009b\u202eb\n")).toBe("a\ufffd[31m\ufffd\ufffd\ufffdb\ufffd");
});

it("draws bars as long as their share, and never hides a share above 0", () => {
  const length = (share: number): number =>
    Array.from(densityBar(share)).reduce((sum, char) => sum + ("▏▎▍▌▋▊▉█".indexOf(char) + 1) / 8, 0);
  for (let i = 0; i <= 160; i++) expect(length(i / 160)).toBe(i / 8);
  expect(length(1e-9)).toBe(1 / 8);
  expect(length(0)).toBe(0);
});
