// The VSIX of this platform as a person gets it: installed into a real VS Code with nothing of the repository linked,
// it opens a model on click, shows its layers, prunes it, and runs the result in the ONNX Runtime that it carries.

import { copyFile, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { packExtension } from "../package/pack.js";
import { thisTarget } from "../package/targets.js";
import { launchBrowser } from "../support/vscode-host/browser.js";
import { ensureHost } from "../support/vscode-host/install.js";
import { repositoryRoot } from "../support/vscode-host/repository.js";
import { startServer, type Server } from "../support/vscode-host/server.js";
import { openWindow, type EditorWindow } from "../support/vscode-host/window.js";

describe("the installed VSIX", () => {
  let workspace: string;
  let server: Server;
  let window: EditorWindow;
  /** What undoes the start, as far as it came. */
  const undo: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    const root = repositoryRoot();
    const temporary = await mkdtemp(join(tmpdir(), "prunescope-installed-"));
    undo.push(() => rm(temporary, { recursive: true, force: true }));
    workspace = join(temporary, "workspace");
    await mkdir(workspace);
    const assets = join(root, "node_modules", "@gutenye", "ocr-models", "assets");
    await copyFile(join(assets, "ch_ppocr_mobile_v2.0_cls_infer.onnx"), join(workspace, "model.onnx"));

    const quiet = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const vsix = await packExtension(root, thisTarget(), temporary);
    quiet.mockRestore();
    server = await startServer(await ensureHost("4.139.1"), { vsix: [vsix] });
    undo.push(() => server.stop());
    const browser = await launchBrowser();
    undo.push(() => browser.close());
    window = await openWindow(browser, server, { folder: workspace });
  });

  afterAll(async () => {
    for (const step of undo.reverse()) await step();
  });

  it("opens a model and shows its layers", async () => {
    await window.quickOpen("model.onnx");
    await window.webview().locator("body[data-state='ready']").waitFor({ timeout: 60_000 });
    const rows = window.webview().locator("[role='row'][data-layer-id]");
    await rows.first().waitFor();
    expect(await rows.first().getAttribute("data-layer-id")).toBe("conv2d_0.w_0");
    expect(await rows.first().innerText()).toContain("Conv");
    expect(await rows.count()).toBeGreaterThan(3);
    expect(window.webviewProblems).toEqual([]);
  });

  it("works in the installed folder, not in the repository", async () => {
    const commands = (await server.processes()).map(({ command }) => command.join(" "));
    const ours = commands.filter((command) => /dist\/(server|engine)\.js/.test(command));
    expect(ours.length).toBeGreaterThan(0);
    for (const command of ours) expect(command).toContain(join(server.folder, "extensions", "prunescope.prunescope-"));
  });

  it("prunes the model, and runs both in the ONNX Runtime that came with it", async () => {
    await window.runCommand("PruneScope: Prune & Save");
    await window.webview().locator(".saved[data-verified='done']").waitFor({ timeout: 60_000 });
    expect((await stat(join(workspace, "model.magnitude-90.onnx"))).size).toBeGreaterThan(500_000);
    expect(window.webviewProblems).toEqual([]);
  });
});
