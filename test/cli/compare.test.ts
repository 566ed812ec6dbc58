/** `prunescope compare` as scripts use it: JSON that agrees with the job, a table with the same figures, clear mistakes. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompareReport } from "../../server/protocol/compare.js";
import { counted, npz } from "../support/arrays-on-disk.js";
import { ModelFolder } from "../support/model-folder.js";
import { mlp } from "../support/models.js";

const cli = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const folder = new ModelFolder();
let model: string;
let pruned: string;

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder.path });

beforeAll(async () => {
  model = folder.write("model.onnx", mlp({ widths: [16, 32, 10] }));
  pruned = folder.file("pruned.onnx");
  expect(run("prune", model, "--sparsity", "0.75", "--no-verify", "-o", pruned)).toMatchObject({ status: 0 });
  const x = counted("float", [20, 16], (i) => Math.sin(i));
  writeFileSync(folder.file("data.npz"), await npz({ x, labels: counted("int64", [20], (i) => i % 10) }));
});
afterAll(() => {
  folder.dispose();
});

describe("compare", () => {
  it("prints the report as JSON, on the samples that are asked for", () => {
    const data = ["--data", "data.npz", "--batch", "20", "--latency", "0.05"];
    const { status, stdout, stderr } = run("compare", model, pruned, ...data, "--format", "json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as CompareReport;
    const zeros = report.layers.reduce((sum, layer) => sum + layer.zeros.pruned!, 0);
    expect(zeros).toBe(0.75 * (16 * 32 + 32 * 10));
    expect(report.layers.map(({ unchanged }) => unchanged)).toEqual([1, 1]);
    expect(report).toMatchObject({ samples: 20, accuracy: { samples: 20 } });
    expect(report.latency!.original.runs).toBe(report.latency!.pruned.runs);
  });

  it("prints a table with what a person looks for", () => {
    const { status, stdout } = run("compare", model, model, "--latency", "0");
    expect(status).toBe(0);
    expect(stdout).toContain("layer0.weight");
    expect(stdout).toContain("largest difference 0.00");
    expect(stdout).toContain("cosine 1.0000, same largest element in 100.0 % of samples");
    expect(stdout).not.toContain("latency");
  });

  it.each([
    ["one model only", () => [model], 2, "pruned"],
    ["a second that is not there", () => [model, "absent.onnx"], 1, "missing-data"],
    ["data that is not there", () => [model, pruned, "--data", "absent.npz"], 1, "missing-data"],
    ["a time below 0", () => [model, pruned, "--latency", "-1"], 2, "[0, 3600]"],
  ])("says what is wrong with %s", (_, args, status, words) => {
    const result = run("compare", ...args());
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(words);
  });
});
