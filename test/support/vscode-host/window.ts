// One browser tab with the VS Code workbench in it, driven the way a person drives it: files are opened with
// Ctrl+P, commands run from the palette, and what webviews and notifications show is read from the page.

import { resolve } from "node:path";
import type { Browser, BrowserContext, FrameLocator, Page } from "playwright-core";
import { newLocalContext } from "./browser.js";
import type { Server } from "./server.js";
import { recordProblems, REPORT, type WebviewProblem } from "./webview-recorder.js";

export interface WindowOptions {
  /** The workspace folder to open. */
  readonly folder: string;
  /** Folder of an extension under development, loaded without being installed. */
  readonly developmentExtension?: string;
  /** A module whose exported `run()` the extension host executes; see host-suite.ts. */
  readonly extensionTestsPath?: string;
  /** Colour theme, unless the server's settings name one. Dark when absent. */
  readonly theme?: "dark" | "light";
  /** Size of the tab in CSS pixels; 1280 x 800 when absent. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Called with the browser's context before the workbench loads, to expose functions or add scripts. */
  readonly prepare?: (context: BrowserContext) => Promise<void>;
}

/** An open workbench. `page` is Playwright's page, for everything that has no shortcut here. */
export interface EditorWindow {
  readonly page: Page;
  /** What has gone wrong inside webviews so far, oldest first. */
  readonly webviewProblems: readonly WebviewProblem[];
  /** Errors on the console so far, the extension host's included; less what VS Code prints in every window here. */
  readonly consoleErrors: readonly string[];
  /** Opens a file (relative to the folder) with Ctrl+P, in whichever editor VS Code chooses for it. */
  quickOpen(file: string): Promise<void>;
  /** Runs a command from the palette by the title a person sees, its category included: `Category: Title`. */
  runCommand(title: string): Promise<void>;
  /** The document of the nth visible webview. */
  webview(nth?: number): FrameLocator;
  /** The texts of the notifications that are showing. */
  notifications(): Promise<string[]>;
  /** Saves what a person sees as a PNG. */
  screenshot(file: string): Promise<void>;
  close(): Promise<void>;
}

const THEMES = { dark: "Default Dark Modern", light: "Default Light Modern" } as const;
const QUICK_INPUT = ".quick-input-widget:not([style*='display: none'])";

/** What this build of VS Code asks for on start and does not have. */
const EVERY_WINDOW =
  /\/vsda\/|\/update\/check|serviceWorker\.js|\(404\) was received when fetching the script|authentication provider .github. to register/;

/** Opens the workbench on a folder and waits until it can be used. */
export async function openWindow(browser: Browser, server: Server, options: WindowOptions): Promise<EditorWindow> {
  const context = await newLocalContext(browser, options.viewport ?? { width: 1280, height: 800 });
  try {
    return await openIn(context, server, options);
  } catch (error) {
    await context.close();
    throw error;
  }
}

async function openIn(context: BrowserContext, server: Server, options: WindowOptions): Promise<EditorWindow> {
  const webviewProblems: WebviewProblem[] = [];
  const consoleErrors: string[] = [];
  await context.exposeFunction(REPORT, (problem: WebviewProblem) => {
    webviewProblems.push(problem);
  });
  await context.addInitScript(recordProblems, REPORT);
  await context.addInitScript(changeWorkbenchConfiguration, configurationChange(server, options));
  await options.prepare?.(context);

  const page = await context.newPage();
  page.on("console", (message) => {
    const text = `${message.text()} ${message.location().url}`.trim();
    if (message.type() === "error" && !EVERY_WINDOW.test(text)) consoleErrors.push(text);
  });
  await page.goto(server.url(options.folder));
  await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
  // Before extensions are known a file opens as text, even when one of them has an editor for it.
  await page.waitForFunction(() => performance.getEntriesByName("code/didLoadExtensions").length > 0);

  /** Types into the quick input that `key` opens and accepts the row whose label is `label`. */
  const pick = async (key: string, typed: string, label: string) => {
    const input = page.locator(`${QUICK_INPUT} input.input`);
    const row = page
      .locator(`${QUICK_INPUT} .quick-input-list .monaco-list-row`)
      .filter({ has: page.locator(".label-name").getByText(label, { exact: true }) })
      .first();
    // A key pressed while a webview comes or goes may reach nobody.
    for (let attempt = 1; attempt <= 5 && !(await input.isVisible()); attempt++) {
      await page.keyboard.press(key);
      await input.waitFor({ timeout: 3000 }).catch(() => undefined);
    }
    await input.fill(typed);
    await row.click();
    await row.waitFor({ state: "hidden" }); // Not the input: the command may go on asking there.
  };

  return {
    page,
    webviewProblems,
    consoleErrors,
    // An absolute path is resolved without a search, so no search index or ripgrep is needed.
    quickOpen: (file) => pick("Control+P", resolve(options.folder, file), file.split("/").at(-1) ?? file),
    runCommand: (title) => pick("F1", `>${title}`, title),
    webview: (nth = 0) =>
      page.locator("iframe.webview.ready").nth(nth).contentFrame().frameLocator("iframe#active-frame"),
    notifications: () => page.locator(".notification-toast .notification-list-item-message").allInnerTexts(),
    screenshot: async (file) => {
      await page.screenshot({ path: file });
    },
    close: () => context.close(),
  };
}

/** What is laid over the configuration that the server puts into the page: `developmentOptions` and setting defaults. */
interface ConfigurationChange {
  readonly developmentOptions: Readonly<Record<string, unknown>>;
  readonly configurationDefaults: Readonly<Record<string, unknown>>;
}

function configurationChange(server: Server, options: WindowOptions): ConfigurationChange {
  const uri = (path: string) => ({
    scheme: "vscode-remote",
    authority: `127.0.0.1:${server.port}`,
    path: resolve(path),
  });
  return {
    developmentOptions: {
      ...(options.developmentExtension ? { extensions: [uri(options.developmentExtension)] } : {}),
      ...(options.extensionTestsPath ? { extensionTestsPath: uri(options.extensionTestsPath) } : {}),
    },
    configurationDefaults: { "workbench.colorTheme": THEMES[options.theme ?? "dark"] },
  };
}

/**
 * Runs in the page, after it is parsed and before the workbench reads its configuration.
 *
 * The server ignores the `payload` query for extensions under development, so they are named here.
 */
function changeWorkbenchConfiguration(change: ConfigurationChange): void {
  document.addEventListener("readystatechange", () => {
    const element = document.getElementById("vscode-workbench-web-configuration");
    const text = element?.dataset["settings"];
    if (document.readyState !== "interactive" || !element || !text) return;
    const settings = JSON.parse(text) as Record<string, Record<string, unknown> | undefined>;
    for (const key of ["developmentOptions", "configurationDefaults"] as const) {
      settings[key] = { ...settings[key], ...change[key] };
    }
    element.dataset["settings"] = JSON.stringify(settings);
  });
}
