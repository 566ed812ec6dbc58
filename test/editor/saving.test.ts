// Saving in a real VS Code: one that is cancelled leaves nothing behind, and one that is done is compared with its
// original from the notification. What that page shows is what the command line says of the same two files.

import { execFileSync } from "node:child_process";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompareReport } from "../../server/protocol/compare.js";
import { generateLargeModel } from "../support/models.js";
import { HOST_VERSIONS } from "../support/vscode-host/install.js";
import { repositoryRoot } from "../support/vscode-host/repository.js";
import { score } from "../../webview/src/text/numbers.js";
import { seriousFaults } from "./accessibility.js";
import { ComparisonPage } from "./comparison-page.js";
import { ModelPage } from "./model-page.js";
import { copyModel, setStage, type Stage, until } from "./stage.js";

const model = "ch_ppocr_mobile_v2.0_cls_infer.onnx";
const saved = "ch_ppocr_mobile_v2.0_cls_infer.magnitude-90.onnx";

const large = "large.onnx";

/** What `prunescope compare` prints of two files, without latency. */
function cliComparison(original: string, pruned: string): CompareReport {
  const cli = join(repositoryRoot(), "dist", "cli.js");
  const args = [cli, "compare", original, pruned, "--latency", "0", "--format", "json"];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as CompareReport;
}

describe("saving and comparing in VS Code", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage(HOST_VERSIONS[1], {
      prepare: async (workspace) => {
        await copyModel(model, workspace);
        // Long enough to be cancelled in the middle; its weights take no room on disk.
        await generateLargeModel(join(workspace, large), 300, { hollow: true });
      },
    });
  });

  afterAll(async () => {
    await stage.strike();
  });

  it("leaves nothing half done behind when it is cancelled in the middle", async () => {
    const { window, workspace } = stage;
    const target = "large.magnitude-90.onnx";
    // A first try may have got as far as saving.
    await rm(join(workspace, target), { force: true });
    await window.runCommand("Notifications: Clear All Notifications");
    const before = await readdir(workspace);
    const { size } = await stat(join(workspace, large));
    const view = await ModelPage.opened(window, large);
    await view.idle();
    await view.view.locator("vscode-button.save").click();
    await view.view.locator(".controls .work-label", { hasText: "Saving" }).waitFor();
    await view.view.locator(".controls .work-cancel").click();
    await view.idle();
    const left = (await readdir(workspace)).filter((name) => !before.includes(name));
    const told = async (): Promise<boolean> => (await window.notifications()).join().includes(`Saved ${target}`);
    // On a fast machine the save may be done before the button is reached: then it is whole, and told.
    expect(left.filter((name) => name !== target)).toEqual([]);
    if (left.length === 0) expect(await told()).toBe(false);
    else {
      await until("The notification of the save", async () => ((await told()) ? true : null));
      expect((await stat(join(workspace, target))).size).toBeGreaterThan(size);
    }
  });

  it("shows a saved model beside its original, with the figures of the command line", async () => {
    const { window, workspace } = stage;
    // A first try may have got as far as saving.
    await rm(join(workspace, saved), { force: true });
    await window.runCommand("Notifications: Clear All Notifications");
    const view = await ModelPage.opened(window, model);
    await view.idle();
    await view.view.locator("vscode-button.save").click();
    const toast = window.page.locator(".notification-toast", { hasText: saved });
    await toast.locator(".monaco-button", { hasText: "Compare" }).click({ timeout: 60_000 });
    const page = await ComparisonPage.ready(window);

    const report = cliComparison(join(workspace, model), join(workspace, saved));
    const share = (layer: CompareReport["layers"][number], which: "original" | "pruned"): number =>
      1 - layer.zeros[which]! / layer.parameters;
    expect(await page.densities()).toEqual(
      Object.fromEntries(report.layers.map((layer) => [layer.id, [share(layer, "original"), share(layer, "pruned")]])),
    );
    const [output] = report.outputs;
    expect((await page.cells(output!.name)).slice(1, 4)).toEqual(
      [output!.maxDifference, output!.meanDifference, output!.maxOriginal].map(score),
    );
    expect(await page.cells("Latency")).toEqual([
      expect.stringMatching(/ms$/),
      expect.stringMatching(/ms$/),
      expect.stringMatching(/%$/),
    ]);
    expect(await page.section("latency").innerText()).toMatch(/\d runs of each model in turn, 1 sample a run/);
    expect(await page.section("latency").locator(".interval-median line").count()).toBe(2);
    expect(await seriousFaults(page.frame)).toEqual([]);
  });

  it("compares again when its button is pressed from the keyboard", async () => {
    const page = await ComparisonPage.ready(stage.window);
    await page.frame.locator(".comparison-again vscode-button").first().focus();
    await stage.window.page.keyboard.press("Enter");
    await page.frame.locator("body[data-activity='working']").waitFor();
    await page.frame.locator(".work-cancel").click();
    // Back to the report that was there.
    await page.frame.locator("body[data-state='ready'][data-activity='idle'] .compared-summary").waitFor();
  });

  it("has broken no security policy and written no error", () => {
    expect(stage.window.webviewProblems).toEqual([]);
    expect(stage.window.consoleErrors).toEqual([]);
  });
});
