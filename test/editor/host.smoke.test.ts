// Holds what every other test in a real VS Code relies on, on the oldest and the newest host: an extension
// under development loads, its webview can be read, what goes wrong in it is recorded, a suite's outcome
// arrives, a .vsix installs, and nothing is left behind.

import { createVSIX } from "@vscode/vsce";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { launchBrowser } from "../support/vscode-host/browser.js";
import { buildHostSuite, runHostSuite } from "../support/vscode-host/host-suite.js";
import { ensureHost, HOST_VERSIONS, type Host } from "../support/vscode-host/install.js";
import { processesOf } from "../support/vscode-host/process-list.js";
import { startServer, type Server } from "../support/vscode-host/server.js";
import { writeSmokeExtension, type SmokeExtension } from "../support/vscode-host/smoke-extension.js";
import { openWindow } from "../support/vscode-host/window.js";

describe.each(HOST_VERSIONS)("VS Code from code-server %s", { timeout: 120_000 }, (version) => {
  let temporary: string;
  let extension: SmokeExtension;
  let host: Host;
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), "prunescope-smoke-"));
    extension = await writeSmokeExtension(temporary);
    host = await ensureHost(version);
    browser = await launchBrowser();
    server = await startServer(host);
  }, 600_000);

  afterAll(async () => {
    await server.stop();
    await browser.close();
    await rm(temporary, { recursive: true });
  });

  it("loads an extension under development and reads its webview", async () => {
    const { folder: developmentExtension, workspace: folder } = extension;
    const window = await openWindow(browser, server, { folder, developmentExtension, theme: "light" });

    await window.quickOpen("polite.smoke");
    await window.webview().locator("#text", { hasText: "polite" }).waitFor();
    expect(await window.webview().locator("#title").innerText()).toBe("Smoke");
    expect(window.webviewProblems).toEqual([]);

    await window.runCommand("Smoke: Hello");
    await expect.poll(() => window.notifications()).toEqual(["Hello from the host"]);

    const commands = (await server.processes()).map((each) => each.command.join(" "));
    expect(commands.filter((command) => command.includes("type=extensionHost"))).toHaveLength(1);

    expect(window.consoleErrors).toEqual([]);

    const picture = join(temporary, "window.png");
    await window.screenshot(picture);
    expect(existsSync(picture)).toBe(true);
    await window.close();
  });

  it("records violations of the security policy and errors in a webview", async () => {
    const { folder: developmentExtension, workspace: folder } = extension;
    const window = await openWindow(browser, server, { folder, developmentExtension });
    await window.quickOpen("rude.smoke");
    await window.webview().locator("#text", { hasText: "rude" }).waitFor();
    await expect
      .poll(() => window.webviewProblems.map((problem) => problem.kind).sort())
      .toEqual(["console", "csp", "error"]);
    expect(window.webviewProblems.find((problem) => problem.kind === "csp")).toMatchObject({
      directive: "script-src-elem",
      blocked: "inline",
    });
    await window.close();
  });

  it("reports the outcome of a suite in the extension host", async () => {
    const outcome = async (name: string, file: string) =>
      runHostSuite(browser, server, {
        suite: await buildHostSuite(`smoke-${version}-${name}`, [file]),
        developmentExtension: extension.folder,
        folder: extension.workspace,
      });
    const passed = await outcome("passing", extension.passingSuite);
    expect(passed.log).toContain("activates the extension");
    expect(passed.code).toBe(0);
    const failed = await outcome("failing", extension.failingSuite);
    expect(failed.log).toContain("a deliberate failure");
    expect(failed.code).toBe(1);
  });

  it("installs a .vsix, and leaves neither process nor file behind", async () => {
    const vsix = join(temporary, "smoke.vsix");
    await writeFile(join(extension.folder, "README.md"), "A smoke test.");
    const quiet = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await createVSIX({ cwd: extension.folder, packagePath: vsix, dependencies: false, skipLicense: true });
    quiet.mockRestore();
    const own = await startServer(host, { vsix: [vsix] });
    const window = await openWindow(browser, own, { folder: extension.workspace });
    await window.quickOpen("polite.smoke");
    await window.webview().locator("#text", { hasText: "polite" }).waitFor();
    expect((await own.processes()).length).toBeGreaterThan(1);

    // Stopped while the window is still open, as after a failed test.
    await own.stop();
    expect(await processesOf(own.pid)).toEqual([]);
    expect(existsSync(own.folder)).toBe(false);
    await window.close();
  });

  it("shows a linked extension to whoever has the token", async () => {
    const own = await startServer(host, { linkedExtensions: [extension.folder], withToken: true });
    try {
      expect((await fetch(`http://127.0.0.1:${own.port}/`)).status).toBe(403);
      const window = await openWindow(browser, own, { folder: extension.workspace });
      await window.quickOpen("polite.smoke");
      await window.webview().locator("#text", { hasText: "polite" }).waitFor();
      await window.close();
    } finally {
      await own.stop();
    }
    expect(existsSync(extension.folder)).toBe(true);
  });
});
