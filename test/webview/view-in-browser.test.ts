import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeInsights } from "./fake-insights.js";
import { fakeModel, fakeSave, loadingState, type FakeModel } from "./fake-model.js";
import { bundleView, openView, startBrowser, type OpenOptions, type ViewPage } from "./view-page.js";

let browser: Browser;
let bundle: string;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

beforeAll(async () => {
  [browser, bundle] = await Promise.all([startBrowser(), bundleView()]);
});

afterAll(async () => {
  await browser.close();
});

/** Opens a view, runs `task`, and expects neither an error nor a violation of the policy. */
async function withView(options: OpenOptions, task: (view: ViewPage) => Promise<void>): Promise<void> {
  const view = await openView(browser, bundle, options);
  try {
    await task(view);
    expect(view.violations).toEqual([]);
    expect(view.errors).toEqual([]);
  } finally {
    await view.close();
  }
}

/** Serious and critical findings of axe. */
async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Axe {
      run(): Promise<{
        violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
      }>;
    }
    const { violations } = await (window as unknown as { axe: Axe }).axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
  });
}

/** Drags the slider's thumb with the mouse from one share of its track to another. */
async function drag(page: Page, from: number, to: number): Promise<void> {
  const box = await page.locator("#sparsity").boundingBox();
  if (box === null) throw new Error("the slider is not visible");
  const at = (share: number): number => box.x + 7 + (box.width - 14) * share;
  const y = box.y + box.height / 2;
  await page.mouse.move(at(from), y);
  await page.mouse.down();
  await page.mouse.move(at(to), y, { steps: 5 });
  await page.mouse.up();
}

/** Kept counts of every layer, read by scrolling through the table; null for one that is marked as approximate. */
async function keptByLayer(page: Page): Promise<Map<string, number | null>> {
  const entries = await page.locator(".grid").evaluate(async (grid) => {
    const found: [string, number | null][] = [];
    for (let top = 0; top <= grid.scrollHeight; top += 200) {
      grid.scrollTop = top;
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      for (const row of grid.querySelectorAll<HTMLElement>("[data-layer-id]")) {
        const { layerId = "", kept } = row.dataset;
        found.push([layerId, row.hasAttribute("data-approximate") ? null : Number(kept)]);
      }
    }
    return found;
  });
  return new Map(entries);
}

function exactCounts(fake: FakeModel, sparsity: number): Map<string, number> {
  const { kept } = fake.exact(sparsity, fake.recipe.scope);
  return new Map(fake.model.layers.map(({ id }, l) => [id, kept[l]!]));
}

describe("in the editor", { timeout: 180_000 }, () => {
  it("follows 100 drags and is exact at rest", async () => {
    const fake = fakeModel({ layers: 60 });
    await withView({ fake, state: fake.state, theme: { "--vscode-foreground": "#3b3b3b" } }, async (view) => {
      const { page } = view;
      await view.atRest();
      await page.evaluate(() => {
        (window as unknown as { longTasks: number[] }).longTasks.length = 0;
      });
      for (let i = 0; i < 100; i++) {
        await drag(page, ((i * 37) % 100) / 100, ((i * 53 + 20) % 100) / 100);
        if (i % 50 === 7) {
          // While the button is down nothing is exact.
          await page.mouse.down();
          await page.mouse.move(300, 300, { steps: 2 });
          await page.waitForFunction(() => document.querySelector(".rows [data-approximate]") !== null);
          expect(await page.locator(".tally").innerText()).toMatch(/^≈/);
          await page.mouse.up();
        }
      }
      await view.atRest();
      const long = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
      console.log(`100 drags, 60 layers: ${long.length} tasks over 50 ms, the longest ${Math.max(0, ...long)} ms`);
      const sparsity = await page.locator("#sparsity").evaluate((range) => (range as HTMLInputElement).valueAsNumber);
      expect(await keptByLayer(page)).toEqual(exactCounts(fake, sparsity));
      const bars = await page
        .locator(".plot-bars rect")
        .evaluateAll((all) => all.map((bar) => [bar.getAttribute("data-layer-id"), bar.getAttribute("data-density")]));
      const kept = fake.exact(sparsity, "global").kept;
      expect(bars).toEqual(fake.model.layers.map(({ id, parameters }, l) => [id, String(kept[l]! / parameters)]));
      expect(view.messages.at(-1)).toMatchObject({ type: "survival", sparsity, scope: "global" });
    });
  });

  it("shows 500 layers, exactly, after a number was typed", async () => {
    const exclude = ["stage1.block3.conv.weight"];
    const fake = fakeModel({ layers: 500, recipe: { exclude }, silent: [40] });
    await withView({ fake, state: fake.state }, async ({ page, atRest, messages }) => {
      await atRest();
      await page.locator("#sparsity-percent").fill("97.25");
      await page.locator("#sparsity-percent").press("Enter");
      await page.waitForFunction(
        () => document.body.dataset["rest"] === "true" && !document.querySelector("[data-approximate]"),
      );
      expect(messages.at(-1)).toMatchObject({ type: "survival", sparsity: 0.9725 });
      expect(await keptByLayer(page)).toEqual(exactCounts(fake, 0.9725));
      expect(await page.locator(".rows .row").count()).toBeLessThan(60);
      expect(await axeFindings(page)).toEqual([]);
    });
  });

  it("is used by keyboard alone", async () => {
    const fake = fakeModel({ layers: 60 });
    await withView({ fake, state: fake.state }, async ({ page, atRest, messages }) => {
      await atRest();
      await page.locator("#sparsity").focus();
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction(() =>
        document.querySelector("#sparsity")?.getAttribute("aria-valuetext")?.startsWith("90.1"),
      );
      await page.locator(".grid").focus();
      await page.keyboard.press("End");
      await page.keyboard.press("Enter");
      const last = fake.model.layers.at(-1)!.id;
      await page.locator(`[aria-selected=true][data-layer-id="${last}"]`).waitFor();
      expect(await page.locator(".figure-scores .figure-subject").textContent()).toBe(last);
      expect(await page.locator(".grid").getAttribute("aria-activedescendant")).toBe("layer-row-59");
      await page.keyboard.press(" ");
      await page.waitForFunction(() => document.body.dataset["rest"] === "false");
      expect(messages.at(-1)).toMatchObject({ type: "recipe", recipe: { exclude: [last], sparsity: 0.901 } });
      await page.locator(".figure-density .plot-frame").focus();
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowRight");
      expect(await page.locator(".figure-density .plot-frame").getAttribute("aria-valuetext")).toContain(
        "stage1.block2",
      );
      await page.keyboard.press("Enter");
      await page.locator(".figure-scores .figure-subject", { hasText: "stage1.block2.conv.weight" }).waitFor();
    });
  });

  it("offers criteria and scopes, and not those that cannot run", async () => {
    const fake = fakeModel({ layers: 12 });
    await withView({ fake, state: fake.state }, async ({ page, atRest, messages }) => {
      await atRest();
      const criterion = page.locator("vscode-dropdown[aria-label=Criterion]");
      await criterion.click();
      const fisher = criterion.locator("vscode-option", { hasText: "Fisher" });
      const drawn = await fisher.evaluate((option) => getComputedStyle(option, "::after").content);
      expect(drawn).toContain("Not available: its loss has no samples.");
      expect(await axeFindings(page)).toEqual([]);
      await fisher.click({ force: true });
      expect(messages.filter(({ type }) => type === "recipe")).toEqual([]);
      await page.keyboard.press("Escape");
      await page.locator("vscode-dropdown[aria-label=Scope]").click();
      await page.locator("vscode-option", { hasText: "Each layer" }).click();
      await page.waitForFunction(() => document.body.dataset["rest"] === "false");
      expect(messages.at(-1)).toMatchObject({ type: "recipe", recipe: { scope: "layer", criterion: "magnitude" } });
    });
  });

  it.each([1280, 640, 400])("changes the terms of scoring by keyboard, on %i pixels", async (width) => {
    const fake = fakeModel({ layers: 12, recipe: { criterion: "snip" }, unscored: [3] });
    await withView({ fake, state: fake.state, width }, async ({ page, atRest, messages }) => {
      await atRest();
      await page.locator(".terms > summary").focus();
      await page.keyboard.press("Enter");
      await page.locator(".terms-meaning").waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await axeFindings(page)).toEqual([]);
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(() => messages.at(-1)).toEqual({ type: "chooseData", folder: false });
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(() => messages.at(-1)).toEqual({ type: "chooseData", folder: true });
      await page.keyboard.press("Tab");
      await page.keyboard.type("64");
      await page.keyboard.press("Enter");
      await expect
        .poll(() => messages.at(-1))
        .toMatchObject({ type: "recipe", recipe: { criterion: "snip", batch: 64 } });
      await page.keyboard.press("Tab");
      await page.keyboard.press("ArrowDown");
      await expect
        .poll(() => messages.at(-1))
        .toMatchObject({ type: "recipe", recipe: { loss: fake.model.losses[0]!.id } });
      await page.keyboard.press("Tab");
      await page.keyboard.press("ArrowDown");
      await expect
        .poll(() => messages.at(-1))
        .toMatchObject({ type: "recipe", recipe: { batchNorm: "stored", batch: 64 } });
      await page.keyboard.press("Escape");
      await page.locator(".terms-meaning").waitFor({ state: "hidden" });
    });
  });

  it("says why scores that have a sign have no plot, and where their threshold is", async () => {
    const fake = fakeModel({ layers: 12, recipe: { criterion: "grasp" } });
    await withView({ fake, state: fake.state }, async ({ page, atRest }) => {
      await atRest();
      const scores = page.locator(".figure-scores");
      expect(await scores.locator(".figure-empty").innerText()).toContain("positive and negative");
      await scores.locator(".figure-words", { hasText: /^scores under \S+ go$/ }).waitFor();
    });
  });

  it("saves once for a double click", async () => {
    const fake = fakeModel({ layers: 12 });
    await withView({ fake, state: fake.state }, async ({ page, atRest, messages, send }) => {
      await atRest();
      await page.locator(".save").dblclick();
      await page.waitForTimeout(600);
      await page.locator(".save-as").click();
      await expect.poll(() => messages.filter(({ type }) => type === "save")).toHaveLength(2);
      expect(messages.filter(({ type }) => type === "save")).toMatchObject([{ as: false }, { as: true }]);
      await send({ type: "state", state: { ...fake.state, saved: fakeSave(fake) } });
      await page.locator(".saved [data-output=logits]").waitFor();
      expect(await axeFindings(page)).toEqual([]);
    });
  });

  it("comes back as it was", async () => {
    const fake = fakeModel({ layers: 60 });
    let persisted: unknown;
    await withView({ fake, state: fake.state }, async ({ page, atRest }) => {
      await atRest();
      await drag(page, 0.9, 0.4);
      await page.locator(".row-head .cell-kept button").click();
      await page.locator(".grid").evaluate((grid) => {
        grid.scrollTop = 480;
      });
      await page.waitForTimeout(300);
      persisted = await page.evaluate(() => (window as unknown as { persisted: unknown }).persisted);
    });
    await withView({ fake, state: fake.state, persisted }, async ({ page, atRest }) => {
      await atRest();
      expect(Number(await page.locator("#sparsity").inputValue())).toBeCloseTo(0.4, 2);
      expect(await page.locator(".row-head .cell-kept").getAttribute("aria-sort")).toBe("descending");
      expect(await page.locator(".grid").evaluate((grid) => grid.scrollTop)).toBe(480);
    });
  });

  it.each([
    ["loading", loadingState()],
    [
      "failed",
      {
        ...loadingState(),
        activity: {
          kind: "failed" as const,
          retry: true,
          error: { code: "malformed-model" as const, message: "Not a model.", about: { file: "/a.onnx", offset: 7 } },
        },
      },
    ],
    ["empty", { ...fakeModel({ layers: 0 }).state, result: null }],
    ["loading", { ...fakeModel({ layers: 3 }).state, result: null }],
  ])("is accessible while %s", async (name, state) => {
    await withView({ state }, async ({ page }) => {
      expect(await page.locator("body").getAttribute("data-state")).toBe(name);
      expect(await axeFindings(page)).toEqual([]);
    });
  });

  it.each(["light", "dark"] as const)("is accessible without a theme, in %s", async (colorScheme) => {
    const fake = fakeModel({ layers: 60, recipe: { sparsity: 0.95 }, silent: [5] });
    const state = { ...fake.state, saved: fakeSave(fake), banner: "The file changed on disk." };
    await withView({ fake, state, colorScheme }, async ({ page, atRest }) => {
      await atRest();
      await page.locator(".rows .row").nth(1).click();
      await page.locator(".detail").waitFor();
      expect(await axeFindings(page)).toEqual([]);
    });
  });

  it("fits a pane of 400 pixels, and long hostile names", async () => {
    const hostile = `</script><img src=x onerror="window.hacked=1">`;
    const fake = fakeModel({ layers: 12, name: (l) => `${hostile}${"long".repeat(50)}${l}`, title: hostile });
    await withView({ fake, state: { ...fake.state, saved: fakeSave(fake) }, width: 400 }, async ({ page, atRest }) => {
      await atRest();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
      expect(await page.locator("img").count()).toBe(0);
      expect(await page.evaluate(() => "hacked" in window)).toBe(false);
      expect(await keptByLayer(page)).toEqual(exactCounts(fake, 0.9));
    });
  });

  it("is there for those who force their own colours", async () => {
    const fake = fakeModel({ layers: 12 });
    await withView({ fake, state: fake.state, forcedColors: "active" }, async ({ page, atRest }) => {
      await atRest();
      const fill = await page
        .locator(".plot-bars rect")
        .first()
        .evaluate((bar) => getComputedStyle(bar).fill);
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(fill).not.toBe(paper);
      expect(await axeFindings(page)).toEqual([]);
    });
  });
});

describe("insights", { timeout: 180_000 }, () => {
  it.each([
    ["light", 1280],
    ["dark", 400],
  ] as const)("are accessible and fit, in %s on %i pixels", async (colorScheme, width) => {
    const fake = fakeModel({ layers: 60, silent: [5] });
    const state = { ...fake.state, insights: fakeInsights(fake) };
    await withView({ fake, state, colorScheme, width }, async ({ page, atRest, messages }) => {
      await atRest();
      await page.locator(".insight-remedies .apply").first().waitFor();
      // All of its rows are made a few at a time.
      await page.locator(".insight-theory tbody tr").nth(59).waitFor({ state: "attached" });
      await page.locator(".insight-theory .plane-layers").waitFor();
      await page.locator(".insight-measured .fold summary").first().click();
      await page.locator(".insight-measured .data-table").waitFor();
      expect(await axeFindings(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await page.locator("[role=tab][aria-selected=true]").focus();
      await page.keyboard.press("ArrowRight");
      expect(await page.locator("[role=tab][aria-selected=true]").innerText()).toBe("Keras");
      await page.locator(".insight-theory .layer-link").nth(3).hover();
      await page.locator(".depth-figures .figure-words", { hasText: "stage1.block4" }).first().waitFor();
      await page.locator(".insight-remedies .apply").nth(1).click();
      await expect.poll(() => messages.at(-1)).toMatchObject({ type: "recipe", recipe: { rounds: 16 } });
    });
  });

  it("stay in a saved report", async () => {
    const fake = fakeModel({ layers: 12 });
    const state = { ...fake.state, mode: "report" as const, insights: fakeInsights(fake) };
    await withView({ state }, async ({ page, atRest }) => {
      await atRest();
      await page.locator(".insight-remedies tbody tr").first().waitFor();
      expect(await page.locator(".insight vscode-button").count()).toBe(0);
      expect(await axeFindings(page)).toEqual([]);
    });
  });
});

describe("as a saved report", { timeout: 180_000 }, () => {
  it("moves by itself: exact at its own sparsity, marked elsewhere", async () => {
    const fake = fakeModel({ layers: 60, title: "</title><script>alert(1)</script>" });
    await withView({ state: { ...fake.state, mode: "report" } }, async ({ page, atRest, messages }) => {
      await atRest();
      expect(await keptByLayer(page)).toEqual(exactCounts(fake, 0.9));
      expect(await page.locator(".save").isVisible()).toBe(false);
      await drag(page, 0.9, 0.5);
      await atRest();
      await page.locator(".rows [data-approximate]").first().waitFor();
      expect(await page.locator(".tally").innerText()).toMatch(/^≈/);
      await page.locator(".home").click();
      await page.waitForFunction(() => document.querySelector("[data-approximate]") === null);
      expect(await keptByLayer(page)).toEqual(exactCounts(fake, 0.9));
      expect(await axeFindings(page)).toEqual([]);
      expect(messages).toEqual([]);
    });
  });

  it("holds a script that no HTML parser cuts short", () => {
    // "<!--" alone is harmless; with "<script" behind it the end of the element would not be found.
    expect(/<\/?script/i.test(bundle)).toBe(false);
    expect(/<\/style/i.test(readFileSync("media/view.css", "utf8"))).toBe(false);
  });
});
