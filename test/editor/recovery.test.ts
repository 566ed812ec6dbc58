// What happens in a real VS Code when something underneath the editor breaks: processes that are killed, files that
// change while they are open, files that are no models. The editor recovers by itself or says what is wrong.

import { mkdtemp, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateLargeModel } from "../support/models.js";
import { HOST_VERSIONS } from "../support/vscode-host/install.js";
import { seriousFaults } from "./accessibility.js";
import { cliKept, cliReport } from "./cli-report.js";
import { ModelPage } from "./model-page.js";
import { copyModel, modelPath, setStage, until, type Stage } from "./stage.js";

const small = "ch_ppocr_mobile_v2.0_cls_infer.onnx";
const large = "large.onnx";

/** Files that are no models, by name: how they are made of the small model, and what must be said of them. */
const brokenFiles: Readonly<Record<string, { make: (file: string) => Promise<void>; says: RegExp }>> = {
  "empty.onnx": { make: (file) => truncate(file), says: /empty\.onnx|empty/ },
  "truncated.onnx": { make: (file) => truncate(file, 300_000), says: /truncated|ends|cut|byte/i },
  "text.onnx": { make: (file) => writeFile(file, "This is a note, not a model.\n".repeat(20)), says: /text\.onnx|not/ },
  "page.onnx": { make: (file) => writeFile(file, "<!DOCTYPE html><title>404</title>"), says: /page\.onnx|not/ },
};

describe.each(HOST_VERSIONS)("recovery in VS Code from code-server %s", (version) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await setStage(version, {
      theme: "light",
      prepare: async (workspace) => {
        await copyModel(small, workspace);
        await copyModel(small, workspace, "crashing.onnx");
        await generateLargeModel(join(workspace, large), 100);
        for (const [name, { make }] of Object.entries(brokenFiles)) {
          await make(await copyModel(small, workspace, name));
        }
      },
    });
  });

  afterAll(async () => {
    await stage.strike();
  });

  /** The counts of the view at a sparsity, through the slider, against the command line's. */
  const expectExact = async (page: ModelPage, sparsity: number): Promise<void> => {
    await page.slideTo(sparsity);
    expect(await page.kept()).toEqual(await cliKept(join(stage.workspace, page.title), { sparsity }));
  };

  it("goes on with a new server when the server is killed", async () => {
    const page = await ModelPage.opened(stage.window, small);
    const [server] = await stage.servers();
    process.kill(server!.pid, "SIGKILL");
    const next = await until("Another server", async () => {
      const [other, ...more] = await stage.servers();
      return other !== undefined && other.pid !== server!.pid && more.length === 0 ? other : null;
    });
    await expectExact(page, 0.61);
    await page.idle();
    // Another time, and the slider is moved while there is none.
    process.kill(next.pid, "SIGKILL");
    await expectExact(page, 0.62);
    expect(await stage.window.notifications()).toEqual([]);
  });

  it("goes on with a new engine when an idle one is killed", async () => {
    const page = await ModelPage.opened(stage.window, small);
    await expectExact(page, 0.71);
    await page.idle();
    for (const engine of await stage.engines()) process.kill(engine.pid, "SIGKILL");
    await expectExact(page, 0.72);
  });

  it("does a job again when the engine is killed in the middle of it", async () => {
    const page = await ModelPage.opened(stage.window, large);
    await page.idle();
    await page.choose("Criterion", "Random");
    await page.view.locator(".controls .work-label", { hasText: "Analyzing" }).waitFor();
    // Stopped first, so that it certainly is in the middle when it is killed.
    const engines = await stage.engines();
    for (const { pid } of engines) process.kill(pid, "SIGSTOP");
    expect(await page.view.locator(".controls .work-label").innerText()).toContain("Analyzing");
    for (const { pid } of engines) process.kill(pid, "SIGKILL");
    await page.idle();
    expect(await page.kept()).toEqual(await cliKept(join(stage.workspace, large), { criterion: "random" }));
    await page.choose("Criterion", "Magnitude");
    await page.idle();
  });

  it("refuses a file that crashed the engine twice, until it is asked to retry", async () => {
    await (await ModelPage.opened(stage.window, small)).idle();
    await stage.window.runCommand("View: Close All Editors");
    const page = await openWhileEnginesDie(stage, "crashing.onnx");
    expect(await page.read(".failure")).toMatch(/engine/);

    await stage.window.runCommand("View: Close Editor");
    const again = await ModelPage.open(stage.window, "crashing.onnx");
    await again.state("failed");
    expect(await again.read(".failure")).toMatch(/crashed the analysis engine twice/);
    expect(await stage.engines()).toEqual([]);
    expect(await seriousFaults(await again.frame())).toEqual([]);

    await again.view.locator("vscode-button.failure-retry").click();
    await again.state("ready");
    await expectExact(again, 0.5);
  });

  it.each(Object.entries(brokenFiles))("says what is wrong with %s", async (name, { says }) => {
    const page = await ModelPage.open(stage.window, name);
    await page.state("failed", 5000);
    const sentence = await page.read(".failure");
    expect(sentence).toMatch(says);
    expect(sentence).not.toMatch(/\n\s+at |undefined|\[object|protobuf/);
    expect(await page.rows.count()).toBe(0);
  });

  it("shows a broken file once it is whole", async () => {
    const page = await ModelPage.open(stage.window, "truncated.onnx");
    await page.state("failed");
    await copyModel(small, stage.workspace, "truncated.onnx");
    await page.state("ready");
    await expectExact(page, 0.9);
  });

  it("keeps the old view under a banner while a file is rewritten in place, then shows the new one", async () => {
    const file = await copyModel(small, stage.workspace, "rewritten.onnx");
    const page = await ModelPage.opened(stage.window, "rewritten.onnx");
    await page.rest();
    const before = await page.rows.allInnerTexts();
    const next = await readFile(modelPath("silero_vad_legacy.onnx"));
    const writer = await open(file, "w");
    const pieces = 6;
    for (let piece = 0; piece < pieces; piece++) {
      const start = Math.floor((next.length * piece) / pieces);
      await writer.write(next, start, Math.floor((next.length * (piece + 1)) / pieces) - start);
      // An exporter that takes its time, but never as long as what counts as having stopped.
      if (piece === 0) await page.view.locator(".banner", { hasText: "is changing on disk" }).waitFor();
      else await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await page.rows.allInnerTexts()).toEqual(before);
      expect(await page.view.locator("body").getAttribute("data-state")).toBe("ready");
    }
    await writer.close();
    await expectReplaced(page, file);
  });

  it("shows another model that takes the place of an open one, outside the workspace too", async () => {
    const outside = await mkdtemp(join(tmpdir(), "prunescope-outside-"));
    try {
      for (const folder of [stage.workspace, outside]) {
        const file = await copyModel(small, folder, "replaced.onnx");
        const page = await ModelPage.opened(stage.window, file);
        await page.slideTo(0.66);
        const next = await copyModel("silero_vad_legacy.onnx", folder, "next.tmp");
        await rename(next, file);
        await page.view.locator(".banner", { hasText: "is changing on disk" }).waitFor();
        await expectReplaced(page, file);
      }
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });

  it("says that a file is gone, and goes on when it is back", async () => {
    const file = await copyModel(small, stage.workspace, "leaving.onnx");
    const page = await ModelPage.opened(stage.window, "leaving.onnx");
    await page.rest();
    await rm(file);
    await page.view.locator(".banner", { hasText: "no longer on disk" }).waitFor();
    await copyModel(small, stage.workspace, "leaving.onnx");
    await page.view.locator(".banner").waitFor({ state: "hidden" });
    await expectExact(page, 0.55);
  });

  it("has broken no security policy and written no error", () => {
    expect(stage.window.webviewProblems).toEqual([]);
    expect(stage.window.consoleErrors).toEqual([]);
  });
});

/** Waits until the banner is gone and the table is that of what `file` holds now. */
async function expectReplaced(page: ModelPage, file: string): Promise<void> {
  await page.view.locator(".banner").waitFor({ state: "hidden" });
  await page.rest();
  const { layers } = await cliReport(file);
  expect(await page.rowCount()).toBe(layers.length);
  expect(await page.kept()).toEqual(await cliKept(file, { sparsity: await page.sparsity() }));
}

/**
 * Opens a file and kills every engine as soon as it is there, which is before it has started to read, until the editor
 * gives the file up. No engine may be working when this is called.
 */
async function openWhileEnginesDie(stage: Stage, file: string): Promise<ModelPage> {
  for (const { pid } of await stage.engines()) process.kill(pid, "SIGKILL");
  const [server] = await stage.servers();
  if (server === undefined) throw new Error("There is no server whose engines could be killed.");
  const givenUp = new AbortController();
  const killing = (async () => {
    // The list of one process's children is read in no time; all engines are the server's.
    while (!givenUp.signal.aborted) for (const pid of await childrenOf(server.pid)) tryToKill(pid);
  })();
  try {
    const page = await ModelPage.open(stage.window, file);
    await page.state("failed");
    return page;
  } finally {
    givenUp.abort();
    await killing;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return list.split(" ").filter(Boolean).map(Number);
}

/** Kills a process that may have ended since it was listed. */
function tryToKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has.
  }
}
