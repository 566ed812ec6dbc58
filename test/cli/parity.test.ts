/** Whether a TensorFlow.js model was understood, on the command line: beside the report, by the library that is named. */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Report } from "../../server/protocol/report.js";
import { ModelFolder } from "../support/model-folder.js";
import { layersModel, writeTfjs } from "../support/tfjs/index.js";
import { fakeLibrary } from "../tfjs/fake-libraries.js";

let folder: ModelFolder;
let path: string;
beforeAll(async () => {
  folder = new ModelFolder();
  const dense = (): tf.LayersModel => tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [6] })] });
  path = writeTfjs(join(folder.path, "model"), await layersModel(dense));
});
afterAll(() => {
  folder.dispose();
});

const analyze = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [resolve("dist/cli.js"), "analyze", path, ...args], {
    encoding: "utf8",
    cwd: folder.path,
  });

it("the report carries parity, computed by a named library, whose chatter is not passed on", () => {
  const fake = fakeLibrary(join(folder.path, "elsewhere"));
  const { status, stdout, stderr } = analyze(
    "--tfjs-node",
    "elsewhere/node_modules/@tensorflow/tfjs-node",
    "--format=json",
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const report = JSON.parse(stdout) as Report;
  expect(report.model.format).toBe("tfjs");
  expect(report.parity).toMatchObject({ proven: true, backend: "tfjs-node", version: "4.22.0", reason: "" });
  expect(fake.loadedBy()).toHaveLength(1);
});

it("the table says it in a sentence, with the reason for the backend", () => {
  const { status, stdout, stderr } = analyze();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("Parity with TensorFlow.js\nComputes what the original does in TensorFlow.js 4.22.0 (wasm)");
  expect(stdout).toContain("neither prunescope.tfjsNode.path nor --tfjs-node names a folder of it");
});
