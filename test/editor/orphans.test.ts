// No process outlives its parent: while a long job runs in a real VS Code, the server is killed, then the extension
// host, and what they had started is counted in the process list until it is gone.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { link } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateLargeModel } from "../support/models.js";
import { HOST_VERSIONS } from "../support/vscode-host/install.js";
import type { RunningProcess } from "../support/vscode-host/process-list.js";
import { ModelPage } from "./model-page.js";
import { setStage, until, type Stage } from "./stage.js";

let shared: string;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), "prunescope-large-"));
  await generateLargeModel(join(shared, "large.onnx"), 200);
});

afterAll(async () => {
  await rm(shared, { recursive: true, force: true });
});

describe.each(HOST_VERSIONS)("processes of VS Code from code-server %s", (version) => {
  let stage: Stage;
  let page: ModelPage;

  beforeAll(async () => {
    stage = await setStage(version, {
      prepare: (workspace) => link(join(shared, "large.onnx"), join(workspace, "large.onnx")),
    });
    page = await ModelPage.opened(stage.window, "large.onnx");
  });

  afterAll(async () => {
    await stage.strike();
  });

  /** Saves the model and waits for the longest job there is: compressing it and the original, many seconds. */
  const startLongJob = async (sparsity: number): Promise<readonly RunningProcess[]> => {
    await page.slideTo(sparsity);
    await page.idle();
    await page.view.locator("vscode-button.save").click();
    await page.view
      .locator(".controls .work-label", { hasText: "Comparing compressed sizes" })
      .waitFor({ timeout: 120_000 });
    const engines = await stage.engines();
    expect(engines.length).toBeGreaterThan(0);
    return engines;
  };

  /** Milliseconds until none of the processes lives. */
  const timeToEnd = async (processes: readonly RunningProcess[], timeoutMs: number): Promise<number> => {
    const began = Date.now();
    await until(
      `The end of ${processes.map(({ command }) => command.join(" ")).join(", ")}`,
      async () => {
        const living = new Set((await stage.server.processes()).map(({ pid }) => pid));
        return processes.every(({ pid }) => !living.has(pid)) || null;
      },
      timeoutMs,
    );
    return Date.now() - began;
  };

  it("ends the engines when the server is killed in the middle of a job", async () => {
    const engines = await startLongJob(0.5);
    const [server, ...others] = await stage.servers();
    expect(others).toEqual([]);
    process.kill(server!.pid, "SIGKILL");
    const took = await timeToEnd(engines, 3000);
    console.log(`${version}: ${engines.length} engines ended ${took} ms after their server was killed`);
    // The view stays as it was meanwhile: only the processes tell that a new server has taken over.
    await until("One server again", async () => (await stage.servers()).length === 1 || null, 30_000);
    await page.state("ready");
  });

  it("ends server and engines when the extension host is killed in the middle of a job", async () => {
    const engines = await startLongJob(0.6);
    const servers = await stage.servers();
    expect(servers).toHaveLength(1);
    const hosts = (await stage.server.processes()).filter(({ command }) =>
      command.join(" ").includes("type=extensionHost"),
    );
    expect(hosts).toHaveLength(1);
    process.kill(hosts[0]!.pid, "SIGKILL");
    const took = await timeToEnd([...servers, ...engines], 5000);
    console.log(
      `${version}: server and ${engines.length} engines ended ${took} ms after the extension host was killed`,
    );
  });
});
