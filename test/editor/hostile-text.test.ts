// A model whose names come from a stranger: they are shown as the text that they are, in the view, in notifications
// and in titles, and nothing in them is ever followed, run or loaded.

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileNames, hostileNamesModel, writeModel } from "../support/models.js";
import { HOST_VERSIONS } from "../support/vscode-host/install.js";
import { seriousFaults } from "./accessibility.js";
import { cliKept } from "./cli-report.js";
import { ModelPage } from "./model-page.js";
import { setStage, type Stage } from "./stage.js";

/** A file name can do what a tensor's name can, but for the slash. */
const hostileFile = "[x](command:workbench.action.quit) <img src=x onerror=alert(1)>.onnx";

describe.each(HOST_VERSIONS)("hostile text in VS Code from code-server %s", (version) => {
  let stage: Stage;
  const dialogs: string[] = [];

  beforeAll(async () => {
    stage = await setStage(version, {
      prepare: async (workspace) => {
        const made = writeModel(join(workspace, "hostile.onnx"), hostileNamesModel());
        await copyFile(made, join(workspace, hostileFile));
      },
    });
    stage.window.page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
  });

  afterAll(async () => {
    await stage.strike();
  });

  it("shows names as text", async () => {
    const page = await ModelPage.opened(stage.window, "hostile.onnx");
    expect(await page.kept()).toEqual(await cliKept(join(stage.workspace, "hostile.onnx")));
    const texts = (await page.allRows()).map(({ text }) => text).join("\n");
    for (const kind of ["script", "command", "markdown", "template", "prototype"] as const) {
      expect(texts).toContain(hostileNames[kind]);
    }
    for (const line of await page.view.locator("details:not([hidden]) > summary").all()) await line.click();
    expect(await page.view.locator("body").innerText()).toContain(hostileNames.script);

    // Each layer's own part of the page, and the tips of both plots.
    for (const bar of await page.bars.all()) {
      await bar.hover({ force: true });
      await bar.click({ force: true });
    }
    expect(await page.view.locator("img, [onerror], a[href]").count()).toBe(0);
    expect(await page.view.locator("#app script, #app style").count()).toBe(0);
    expect(await seriousFaults(await page.frame())).toEqual([]);
  });

  it("shows a file name as text, in titles and notifications too", async () => {
    const page = await ModelPage.opened(stage.window, hostileFile);
    await page.idle();
    await page.view.locator("vscode-button.save").click();
    await page.view.locator(".saved[data-verified='done']").waitFor({ timeout: 60_000 });
    await expect.poll(() => stage.window.notifications()).not.toEqual([]);
    const [notification] = await stage.window.notifications();
    expect(notification).toContain("command:workbench.action.quit");
    expect(notification).toContain("<img src=x onerror=alert(1)>");
    const toast = stage.window.page.locator(".notification-toast .notification-list-item-message");
    expect(await toast.locator("a").count()).toBe(0);
  });

  it("has made no element, opened no dialog and broken no policy", async () => {
    expect(await stage.window.page.locator("img[src='x'], [onerror]").count()).toBe(0);
    expect(dialogs).toEqual([]);
    expect(stage.window.webviewProblems).toEqual([]);
    expect(stage.window.consoleErrors).toEqual([]);
  });
});
