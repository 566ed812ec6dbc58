// Runs a mocha suite inside the real extension host: the test files are bundled into one folder together
// with mocha-entry.ts, whose `run()` VS Code calls because its path is given as `extensionTestsPath`.
// VS Code reports the outcome to the page through two functions that are offered here.

import { build } from "esbuild";
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { format } from "node:util";
import type { Browser } from "playwright-core";
import { generatedFolder, repositoryRoot } from "./repository.js";
import type { Server } from "./server.js";
import { openWindow } from "./window.js";

/** PruneScope's own suite files: `test/editor/in-host/*.suite.ts`. Throws when there is none. */
export async function ownSuiteFiles(): Promise<string[]> {
  const folder = join(repositoryRoot(), "test/editor/in-host");
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.filter((name) => name.endsWith(".suite.ts")).map((name) => join(folder, name));
  if (files.length === 0) throw new Error(`No *.suite.ts file in ${folder}: check the checkout.`);
  return files.sort();
}

/**
 * Bundles mocha test files (TypeScript or JavaScript) for the extension host into `.cache/host-suite/<name>/`.
 *
 * Returns the path to give as `extensionTestsPath`, here or to @vscode/test-electron. Suites that run at the same
 * time need different names. Native packages, which cannot be bundled, stay outside.
 */
export async function buildHostSuite(name: string, files: readonly string[]): Promise<string> {
  const folder = join(generatedFolder("host-suite"), name);
  await rm(folder, { recursive: true, force: true });
  const entryPoints = files.map((file) => ({
    in: file,
    out: `${basename(file).replace(/(\.suite)?\.[cm]?[jt]s$/, "")}.suite`,
  }));
  if (new Set(entryPoints.map((entry) => entry.out)).size < files.length) {
    throw new Error(`Two files of the host suite ${name} have the same name: rename one.`);
  }
  await build({
    entryPoints: [
      { in: join(repositoryRoot(), "test/support/vscode-host/mocha-entry.ts"), out: "index" },
      ...entryPoints,
    ],
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    external: ["vscode", "mocha", "onnxruntime-node", "@tensorflow/tfjs-node"],
    platform: "node",
    target: "node20",
    format: "cjs",
    sourcemap: "inline",
    logLevel: "warning",
  });
  return join(folder, "index.cjs");
}

export interface HostSuiteOptions {
  /** What `buildHostSuite` returned. */
  readonly suite: string;
  /** Folder of the extension under development. */
  readonly developmentExtension: string;
  /** The workspace folder to open. */
  readonly folder: string;
  /** How long the suite may take; two minutes when absent. */
  readonly timeoutMs?: number;
}

/** Outcome of a suite: 0 when every test passed, else 1; and what the extension host printed meanwhile. */
export interface HostSuiteResult {
  readonly code: number;
  readonly log: string;
}

/** Runs a built suite in a fresh window and its extension host. Throws, with the log, when it does not end in time. */
export async function runHostSuite(
  browser: Browser,
  server: Server,
  options: HostSuiteOptions,
): Promise<HostSuiteResult> {
  const lines: string[] = [];
  const timeoutMs = options.timeoutMs ?? 120_000;
  let exited: (code: number) => void;
  const code = new Promise<number>((resolve) => (exited = resolve));
  const window = await openWindow(browser, server, {
    folder: options.folder,
    developmentExtension: options.developmentExtension,
    extensionTestsPath: options.suite,
    prepare: async (context) => {
      await context.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => {
        lines.push(format(...args));
      });
      await context.exposeFunction("codeAutomationExit", (value: number) => {
        exited(value);
      });
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new Error(`The host suite did not end within ${timeoutMs / 1000} s. The log so far:\n${lines.join("\n")}`),
      );
    }, timeoutMs);
  });
  try {
    return { code: await Promise.race([code, late]), log: lines.join("\n") };
  } finally {
    clearTimeout(timer);
    await window.close();
  }
}
