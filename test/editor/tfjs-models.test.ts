// TensorFlow.js models in a real VS Code on both hosts: a model.json stays text, a line above it and *Reopen With…* lead
// to the view, saving makes a folder of the same files, and JSON that is no model is left in peace.

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { upscalers } from "../support/tfjs/real-models.js";
import { HOST_VERSIONS } from "../support/vscode-host/install.js";
import { cliKept, cliReport } from "./cli-report.js";
import { ModelPage } from "./model-page.js";
import { setStage, type Stage, until } from "./stage.js";

const model = "upscaler/model.json";
const shard = "group1-shard1of1.bin";
const foreign = "game/model.json";
const saved = "upscaler.magnitude-90";

interface Manifest {
  readonly weightsManifest: readonly [{ readonly weights: readonly { name: string; shape: number[] }[] }];
}

/** The weights of a model of one shard of float32, by name. */
async function weightsIn(folder: string): Promise<Map<string, Float32Array>> {
  const { weightsManifest } = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as Manifest;
  const { buffer, byteOffset } = await readFile(join(folder, shard));
  let at = byteOffset;
  return new Map(
    weightsManifest[0].weights.map(({ name, shape }) => {
      const values = new Float32Array(buffer.slice(at, at + 4 * shape.reduce((a, b) => a * b, 1)));
      at += values.byteLength;
      return [name, values];
    }),
  );
}

describe.each(HOST_VERSIONS)("TensorFlow.js models in VS Code from code-server %s", (version) => {
  let stage: Stage;
  let lens: Locator;
  const at = (...path: string[]): string => join(stage.workspace, ...path);

  /** Shows the active file in another editor. */
  const reopenWith = async (editor: "PruneScope" | "Text Editor"): Promise<void> => {
    await stage.window.runCommand("View: Reopen Editor With...");
    await stage.window.page.locator(".quick-input-widget .monaco-list-row", { hasText: editor }).first().click();
  };

  beforeAll(async () => {
    stage = await setStage(version, {
      prepare: async (workspace) => {
        await Promise.all([".vscode", "upscaler", "game"].map((folder) => mkdir(join(workspace, folder))));
        // The network is of any size, and runs of a small one say as much.
        const settings = { "prunescope.dynamicAxes": { "LR:1": 24, "LR:2": 24 } };
        await writeFile(join(workspace, ".vscode", "settings.json"), JSON.stringify(settings));
        const original = upscalers["default-model"];
        await copyFile(original, join(workspace, model));
        await copyFile(join(dirname(original), shard), join(workspace, "upscaler", shard));
        await writeFile(join(workspace, foreign), JSON.stringify({ format: 3, model: { layers: ["item/apple"] } }));
      },
    });
    lens = stage.window.page.locator(".codelens-decoration");
  });

  afterAll(async () => {
    await stage.strike();
  });

  it("stay text, under a line that says what they are; nothing is started for it", async () => {
    const { window } = stage;
    await window.quickOpen(model);
    await lens.filter({ hasText: "layers model, 24 weights, 222,075 parameters" }).waitFor({ timeout: 60_000 });
    await window.page.locator(".view-line", { hasText: '"layers-model"' }).waitFor();
    expect(await stage.servers()).toEqual([]);
    // The extension works by now, so that it had its chance with the other file.
    await window.quickOpen(foreign);
    await window.page.locator(".view-line", { hasText: "item/apple" }).waitFor();
    await window.page.waitForTimeout(1000);
    expect(await lens.count()).toBe(0);
    expect(await window.page.locator(".editor-actions [aria-label^='Open Model']").count()).toBe(0);
    expect(await window.notifications()).toEqual([]);
    expect(await stage.servers()).toEqual([]);
  });

  it("JSON that is no model says so when it is reopened as one, and goes back to text", async () => {
    const { window } = stage;
    await window.quickOpen(foreign);
    await reopenWith("PruneScope");
    const page = await ModelPage.coming(window, foreign);
    await page.state("failed");
    expect(await page.view.locator(".failure").getAttribute("data-code")).toBe("unsupported-format");
    expect(await page.read(".failure-sentence")).toContain("is no TensorFlow.js model");
    await page.view.locator(".failure-text").click();
    await window.page.locator(".view-line", { hasText: "item/apple" }).waitFor();
  });

  it("are shown by Reopen With, with every layer and the numbers of the command line", async () => {
    const { window } = stage;
    await window.quickOpen(model);
    await reopenWith("PruneScope");
    const page = await ModelPage.coming(window, model);
    await page.state("ready");
    const report = await cliReport(at(model));
    expect(report.layers).toHaveLength(12);
    expect(await page.rowCount()).toBe(12);
    expect(await page.kept()).toEqual(await cliKept(at(model)));
    expect(await page.read("header .facts")).toContain("TensorFlow.js");
    await reopenWith("Text Editor");
    await lens.first().waitFor();
  });

  it("are shown by the line above them, and saved as a folder of the same files beside the original's", async () => {
    const { window } = stage;
    // A first try may have got as far as saving.
    await rm(at(saved), { recursive: true, force: true });
    if ((await lens.count()) === 0) await reopenWith("Text Editor");
    await lens.locator("a", { hasText: "Open in PruneScope" }).click();
    const page = await ModelPage.coming(window, model);
    await page.state("ready");
    await page.idle();
    await page.view.locator("vscode-button.save").click();
    await page.view.locator(".saved[data-verified='done']").waitFor({ timeout: 60_000 });
    expect((await window.notifications()).join()).toContain(`Saved ${saved}/model.json`);
    expect(await readdir(at())).toEqual([".vscode", "game", "upscaler", saved]);
    expect(await readdir(at(saved))).toEqual([shard, "model.json"]);

    const { layers } = await cliReport(at(model));
    const [before, after] = await Promise.all([weightsIn(at("upscaler")), weightsIn(at(saved))]);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, values] of before) {
      const now = after.get(name)!;
      const layer = layers.find(({ weight }) => weight === name);
      const removed = layer === undefined ? 0 : layer.parameters - layer.kept;
      expect(
        now.filter((value, i) => value !== values[i]),
        name,
      ).toEqual(new Float32Array(removed));
    }
  });

  it("are read again when a shard changes on disk", async () => {
    const { window } = stage;
    const page = await ModelPage.coming(window, model);
    await page.idle();
    const [first] = await weightsIn(at("upscaler"));
    const [name, values] = first!;
    expect((await page.kept())[name]).toBeGreaterThan(0);
    const bytes = await readFile(at("upscaler", shard));
    await writeFile(at("upscaler", shard), bytes.fill(0, 0, values.byteLength));
    await until("A layer without weights", async () => {
      const kept = await page.kept().catch(() => null);
      return kept?.[name] === 0 ? true : null;
    });
  });

  it("have broken no security policy and written no error", () => {
    expect(stage.window.webviewProblems).toEqual([]);
    expect(stage.window.consoleErrors).toEqual([]);
  });
});
