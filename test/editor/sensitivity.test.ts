// Gradient criteria as a new user meets them, in a real VS Code on both hosts: SNIP on a real text classifier, its
// progress, its numbers against the command line's, data of one's own, saving; and a long analysis that is cancelled.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { counted, npy } from "../support/arrays-on-disk.js";
import { HOST_VERSIONS } from "../support/vscode-host/install.js";
import { seriousFaults } from "./accessibility.js";
import { cliKept, cliReport } from "./cli-report.js";
import { ModelPage } from "./model-page.js";
import { lookAtSaved } from "./saved-model.js";
import { copyModel, setStage, type Stage } from "./stage.js";

const classifier = "ch_ppocr_mobile_v2.0_cls_infer.onnx";
const recogniser = "ch_PP-OCRv4_rec_infer.onnx";
/** Samples of the classifier's input: what they show does not matter here. */
const samples = "samples.npy";
const misshapen = "misshapen.npy";

describe.each(HOST_VERSIONS)("gradient criteria in VS Code from code-server %s", (version) => {
  let stage: Stage;
  let file: string;

  beforeAll(async () => {
    stage = await setStage(version, {
      prepare: async (workspace) => {
        await copyModel(classifier, workspace);
        await copyModel(recogniser, workspace);
        const image = counted("float", [4, 3, 48, 192], (index) => Math.sin(index / 7));
        await writeFile(join(workspace, samples), npy(image));
        await writeFile(join(workspace, misshapen), npy(counted("float", [4, 5, 48, 192])));
      },
    });
    file = join(stage.workspace, classifier);
  });

  afterAll(async () => {
    await stage.strike();
  });

  /** What the view says of its work from now on, each text once, newest last. */
  const watchWork = async (page: ModelPage): Promise<() => Promise<string[]>> => {
    const frame = await page.frame();
    await frame.evaluate(() => {
      const label = document.querySelector(".controls .work-label")!;
      const said: string[] = [];
      Reflect.set(window, "prunescopeWork", said);
      new MutationObserver(() => said.push(label.textContent)).observe(label, {
        childList: true,
        characterData: true,
        subtree: true,
      });
    });
    return () => frame.evaluate(() => Reflect.get(window, "prunescopeWork") as string[]);
  };

  /** Chooses a file of the workspace in the dialog that the terms of scoring open. */
  const chooseFile = async (page: ModelPage, name: string): Promise<void> => {
    const terms = page.view.locator(".terms");
    if (!(await page.view.locator(".terms-meaning").isVisible())) await terms.locator("summary").click();
    await terms.locator(".data-file").click();
    const dialog = stage.window.page.locator(".quick-input-widget:not([style*='display: none'])");
    const input = dialog.locator("input.input");
    // The dialog writes the folder that it begins in once it has read it, over what was typed before.
    await expect.poll(() => input.inputValue()).toContain(stage.workspace);
    await dialog.locator(".monaco-list-row").first().waitFor();
    await input.fill(join(stage.workspace, name));
    await input.press("Enter");
    await dialog.waitFor({ state: "hidden" });
  };

  const scored = async (page: ModelPage): Promise<void> => {
    await page.idle(120_000);
    await page.rest();
  };

  it("scores by SNIP, shows how far it is, and then the numbers of the command line", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    await page.idle();
    const work = await watchWork(page);
    await page.choose("Criterion", "SNIP");
    expect(await page.read(".terms-words")).toMatch(/^SNIP .* on synthetic data, 32 samples, seed 0$/);
    await page.view.locator(".provenance-other", { hasText: "is being scored" }).waitFor();
    await scored(page);
    const said = await work();
    expect(said.some((text) => /Scoring by SNIP.*: preparing gradients …/.test(text))).toBe(true);
    expect(said.some((text) => /Scoring by SNIP.* · \d+ of \d+/.test(text))).toBe(true);

    const report = await cliReport(file, { criterion: "snip" });
    expect(await page.kept()).toEqual(await cliKept(file, { criterion: "snip" }));
    const facts = await page.read(".provenance .facts");
    expect(facts).toContain(report.loss!.toPrecision(3));
    expect(facts).toContain(`${report.batchNorm!} statistics`);
    const notes = await page.view.locator(".provenance-notes").innerText();
    for (const note of report.notes) expect(notes).toContain(note);
    expect(notes).toContain("a statement about the architecture, not about your task");
  });

  it("looks on: theory and paths by itself, measurements on request", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    await page.idle(120_000);
    for (const part of ["theory", "collapse"])
      await page.view.locator(`.insight-${part}[data-known='yes']`).waitFor({ timeout: 60_000 });
    expect(await page.view.locator(".insight-theory").innerText()).toContain("L = 7 residual sums");
    await page.view.locator(".insight-measured vscode-button.measure").click();
    await page.view.locator(".insight-measured[data-known='yes']").waitFor({ timeout: 120_000 });
    expect(await page.view.locator(".insight-measured").innerText()).toContain("Variance");
    await page.idle(60_000);
  });

  it("follows the slider without scoring again, and comes back to SNIP from another criterion at once", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    const work = await watchWork(page);
    await page.slideTo(0.7);
    const kept = await cliKept(file, { criterion: "snip", sparsity: 0.7 });
    expect(await page.kept()).toEqual(kept);
    await page.choose("Criterion", "Magnitude");
    await expect.poll(() => page.kept()).toEqual(await cliKept(file, { sparsity: 0.7 }));
    await page.choose("Criterion", "SNIP");
    await expect.poll(() => page.kept()).toEqual(kept);
    expect((await work()).filter((text) => text.includes("Scoring by"))).toEqual([]);
  });

  it("has no serious fault that axe can see, its terms open", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    await page.idle();
    await page.view.locator(".terms summary").click();
    await page.view.locator(".data-file").waitFor();
    expect(await seriousFaults(await page.frame())).toEqual([]);
  });

  it("scores on data that a person chooses", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    await page.idle();
    await chooseFile(page, samples);
    await page.view.locator(".terms-words", { hasText: `on ${samples}` }).waitFor();
    await scored(page);
    const question = { criterion: "snip", sparsity: 0.7, data: join(stage.workspace, samples) };
    expect(await page.kept()).toEqual(await cliKept(file, question));
    expect(await page.read(".provenance .facts")).toContain(samples);
  });

  it("says what is wrong with data, keeps what it had, and goes back to synthetic data", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    const before = await page.kept();
    await chooseFile(page, misshapen);
    await page.view.locator("body[data-activity='failed']").waitFor({ timeout: 60_000 });
    expect(await page.read(".failure")).toContain(misshapen);
    expect(await page.read(".provenance-other")).toContain(`on ${misshapen}`);
    expect(await page.kept()).toEqual(before);
    await page.view.locator(".data-clear").click();
    await scored(page);
    expect(await page.kept()).toEqual(await cliKept(file, { criterion: "snip", sparsity: 0.7 }));
  });

  it("saves what it shows, and opens what it saved", async () => {
    const page = await ModelPage.opened(stage.window, classifier);
    await page.idle();
    await page.view.locator("vscode-button.save").click();
    await page.view.locator(".saved[data-verified='done']").waitFor({ timeout: 60_000 });
    const name = classifier.replace(".onnx", ".snip-70.onnx");
    const { layers } = await cliReport(file, { criterion: "snip", sparsity: 0.7 });
    const found = await lookAtSaved(file, join(stage.workspace, name));
    expect(found).toMatchObject({ changed: 0, differing: 0 });
    for (const { id, parameters, kept } of layers) expect(found.zeros[id]).toBeGreaterThanOrEqual(parameters - kept);
    await page.view.locator(".saved[data-compressed='done']").waitFor({ timeout: 60_000 });
    const saved = await ModelPage.opened(stage.window, name);
    expect(await saved.rowCount()).toBe(layers.length);
  });

  it("cancels a long analysis, goes on with what it showed, and stays alive", async () => {
    const page = await ModelPage.opened(stage.window, recogniser);
    await page.idle();
    const magnitude = await page.kept();
    await page.choose("Criterion", "GraSP");
    await page.view.locator(".controls .work-label", { hasText: /Scoring by GraSP|Reading data/ }).waitFor();
    await page.view.locator(".controls .work-cancel").click();
    await page.idle();
    expect(await page.read(".terms-words")).toMatch(/^Magnitude/);
    expect(await page.kept()).toEqual(magnitude);
    await page.slideTo(0.5);
    expect(await page.kept()).toEqual(await cliKept(join(stage.workspace, recogniser), { sparsity: 0.5 }));
  });

  it("has broken no security policy and written no error", () => {
    expect(stage.window.webviewProblems).toEqual([]);
    expect(stage.window.consoleErrors).toEqual([]);
  });
});
