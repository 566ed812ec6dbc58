// Runs the suites of in-host/ inside the extension host of both hosts, with PruneScope as the extension under
// development. `npm run test:electron` runs the same suites in the ordinary VS Code.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../support/vscode-host/browser.js";
import { buildHostSuite, ownSuiteFiles, runHostSuite } from "../support/vscode-host/host-suite.js";
import { ensureHost, HOST_VERSIONS } from "../support/vscode-host/install.js";
import { repositoryRoot } from "../support/vscode-host/repository.js";
import { startServer } from "../support/vscode-host/server.js";
import { copyModel } from "./stage.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
});

describe.each(HOST_VERSIONS)("inside the extension host of code-server %s", (version) => {
  it("every suite passes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "prunescope-in-host-"));
    const server = await startServer(await ensureHost(version));
    try {
      await copyModel("ch_ppocr_mobile_v2.0_cls_infer.onnx", folder, "tiny.onnx");
      const { code, log } = await runHostSuite(browser, server, {
        suite: await buildHostSuite(`prunescope-${version}`, await ownSuiteFiles()),
        developmentExtension: repositoryRoot(),
        folder,
      });
      expect(code, log).toBe(0);
      expect(log).toMatch(/\d+ passing/);
      expect(log).not.toContain("pending");
    } finally {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
