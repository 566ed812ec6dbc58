/**
 * The built view in a real Chromium: a page under the CSP that the editor sets, with a fake host in this process that
 * answers from a fake model.
 */
import { build } from "esbuild";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { parseFromView, type FromView, type ToView, type ViewState } from "../../server/protocol/view.js";
import { reportPage } from "../../server/src/analysis/report-html.js";
import type { FakeModel } from "./fake-model.js";

const nonce = "dGVzdG5vbmNl";
const origin = "http://prunescope.test/";
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Chromium: the one named by `CHROMIUM`, the system's, or the one that the editor tests use. */
export async function startBrowser(): Promise<Browser> {
  const path = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (existsSync(path)) return chromium.launch({ executablePath: path, args: flags });
  const { launchBrowser } = await import("../support/vscode-host/browser.js");
  return launchBrowser();
}

/** Bundles the view as `esbuild.mjs` does, into a temporary folder, and returns its text. */
export async function bundleView(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "prunescope-view-"));
  try {
    await build({
      entryPoints: { webview: "webview/src/main.ts" },
      bundle: true,
      minify: true,
      platform: "browser",
      target: "es2022",
      format: "iife",
      outdir: folder,
      logLevel: "warning",
    });
    return await readFile(join(folder, "webview.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Variables of a VS Code theme, as the editor sets them on the root element. */
export type Theme = Readonly<Record<string, string>>;

export interface OpenOptions {
  /** Answers the view's questions; without it the host is mute. */
  readonly fake?: FakeModel;
  readonly state: ViewState;
  readonly width?: number;
  readonly height?: number;
  readonly theme?: Theme;
  /** Class of the body, as VS Code sets it. */
  readonly bodyClass?: string;
  /** What the view persisted before. */
  readonly persisted?: unknown;
  readonly colorScheme?: "light" | "dark";
  readonly forcedColors?: "active" | "none";
}

export interface ViewPage {
  readonly page: Page;
  /** Every message of the view, checked as the extension checks it. */
  readonly messages: FromView[];
  readonly violations: string[];
  readonly errors: string[];
  readonly send: (message: ToView) => Promise<void>;
  /** Waits until the counts are final. */
  readonly atRest: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the view in a new page and waits for its first state. */
export async function openView(browser: Browser, bundle: string, options: OpenOptions): Promise<ViewPage> {
  const report = options.state.mode === "report";
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colorScheme ?? "light",
    forcedColors: options.forcedColors ?? "none",
  });
  const page = await context.newPage();
  const messages: FromView[] = [];
  const violations: string[] = [];
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.exposeFunction("reportViolation", (text: string) => violations.push(text));
  await page.exposeFunction("hostReceives", async (text: string) => {
    const message = parseFromView(JSON.parse(text));
    if (message === null) throw new Error(`not a message of the view: ${text}`);
    messages.push(message);
    if (message.type === "ready") await send({ type: "state", state: options.state });
    if (message.type === "survival" && options.fake !== undefined) {
      const result = options.fake.exact(message.sparsity, message.scope);
      await send({ type: "reply", id: message.id, result });
    }
  });
  const send = async (message: ToView): Promise<void> => {
    await page.evaluate((data) => {
      window.postMessage(data, "*");
    }, message);
  };
  await page.addInitScript(prepare, { report, theme: options.theme ?? {}, persisted: options.persisted ?? null });
  await page.route(`${origin}**`, (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === "/view.css") return route.fulfill({ contentType: "text/css", body: readFileSync("media/view.css") });
    if (path === "/webview.js") return route.fulfill({ contentType: "text/javascript", body: bundle });
    if (path !== "/") return route.fulfill({ status: 404, body: "" });
    const body = report
      ? reportPage(options.state, { script: bundle, style: readFileSync("media/view.css", "utf8") })
      : skeleton(options);
    return route.fulfill({ contentType: "text/html", body });
  });
  await page.goto(origin);
  try {
    await page.waitForFunction(() => document.body.dataset["mode"] !== undefined, undefined, { timeout: 10_000 });
  } catch {
    throw new Error(`The view did not start. ${[...errors, ...violations].join("\n")}`);
  }
  return {
    page,
    messages,
    violations,
    errors,
    send,
    atRest: async () => {
      await page.waitForFunction(() => document.body.dataset["rest"] === "true");
    },
    close: () => context.close(),
  };
}

/** The page around the bundle, as the editor makes it. */
function skeleton(options: OpenOptions): string {
  const csp = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${csp}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${nonce}">
<title>PruneScope</title>
<link rel="stylesheet" nonce="${nonce}" href="view.css">
</head><body class="${options.bodyClass ?? ""}" data-vscode-theme-kind="${options.bodyClass ?? ""}"><main id="app"></main>
<script nonce="${nonce}" src="webview.js"></script></body></html>`;
}

/** Runs in the page before anything else: the fake host's api, the theme, and what is collected. */
function prepare(setup: { report: boolean; theme: Theme; persisted: unknown }): void {
  const hooks = window as unknown as {
    reportViolation: (text: string) => void;
    hostReceives: (text: string) => void;
    longTasks: number[];
    persisted: unknown;
    acquireVsCodeApi?: () => unknown;
  };
  document.addEventListener("securitypolicyviolation", (event) => {
    hooks.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample} ${event.sourceFile}`);
  });
  hooks.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) hooks.longTasks.push(entry.duration);
  }).observe({ type: "longtask" });
  // The root element is not there yet.
  const themed = new MutationObserver(() => {
    themed.disconnect();
    for (const [name, value] of Object.entries(setup.theme)) document.documentElement.style.setProperty(name, value);
  });
  themed.observe(document, { childList: true });
  if (setup.report) return;
  hooks.persisted = setup.persisted;
  hooks.acquireVsCodeApi = () => ({
    postMessage: (message: unknown) => {
      hooks.hostReceives(JSON.stringify(message));
    },
    getState: () => hooks.persisted,
    setState: (state: unknown) => {
      hooks.persisted = state;
    },
  });
}
