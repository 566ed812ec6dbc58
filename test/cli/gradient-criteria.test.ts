/** Gradient criteria from the built command line: the report that scripts read, and what bad data and options are told. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../server/protocol/report.js";
import type { DataArray } from "../../server/src/data/array.js";
import { counted, npy, npz } from "../support/arrays-on-disk.js";
import { ModelFolder } from "../support/model-folder.js";
import { mlp } from "../support/models.js";

const cli = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const folder = new ModelFolder();
let model = "";
/** x [batch, 16], ten classes. */
const x = counted("float", [12, 16], (i) => Math.sin(i));
const labels = counted("int64", [12], (i) => i % 10);

beforeAll(async () => {
  model = folder.write("model.onnx", mlp());
  writeFileSync(folder.file("good.npz"), await npz({ x, labels }));
});
afterAll(() => {
  folder.dispose();
});

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder.path });
const analyze = (...args: string[]): ReturnType<typeof run> =>
  run("analyze", model, "--quick", "--format", "json", ...args);

it("prints the report of the schema", () => {
  const args = ["--data", "good.npz", "--sparsity", "0.75", "--seed", "3"];
  const { status, stdout, stderr } = analyze("--criterion", "snip", ...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({
    schema: "prunescope.report/1",
    model: { path: model, format: "onnx", parameters: 16 * 32 + 32 * 10, prunable: 16 * 32 + 32 * 10 },
    criterion: "snip",
    sparsity: 0.75,
    seed: 3,
    batchNorm: null,
    layers: [
      { name: "layer0.weight", op: "Gemm", weight: "layer0.weight", shape: [32, 16], parameters: 512 },
      { name: "layer1.weight", op: "Gemm", weight: "layer1.weight", shape: [10, 32], parameters: 320 },
    ],
  });
  // Ten classes whose scores have a variance of about 2: between a certain guess and a wrong one.
  expect(report.loss).toBeGreaterThan(0.5);
  expect(report.loss).toBeLessThan(10);
  expect(report.criticalSparsity).toBeGreaterThan(0.75);
  const zeros = report.layers.reduce((sum, { score, parameters }) => sum + score!.zeroShare * parameters, 0);
  expect(report.zeroScoreShare).toBeCloseTo(zeros / report.model.prunable, 12);
  expect(report.notes).toContain("Data: all 12 samples of good.npz.");
  for (const { score, kept, density, parameters, risk } of report.layers) {
    expect(score!.sum).toBeGreaterThan(0);
    expect(score!.mean).toBeCloseTo(score!.sum / parameters, 12);
    expect(score!.max).toBeGreaterThan(score!.mean);
    expect(density).toBe(kept / parameters);
    expect(["none", "low", "high"]).toContain(risk);
  }
  // The paper's name for the same scores.
  expect(analyze("--criterion", "sbp", ...args).stdout).toBe(stdout);
});

it("makes samples up where there are none, and says so", () => {
  const { status, stdout } = analyze("--criterion", "grasp", "--batch", "4");
  expect(status).toBe(0);
  const { loss, notes } = JSON.parse(stdout) as Report;
  expect(loss).not.toBeNull();
  expect(notes).toContainEqual(expect.stringMatching(/^Data: 4 samples of synthetic/));
});

const infinite: DataArray = { ...x, values: Float32Array.from({ length: 192 }, (_, i) => (i === 17 ? NaN : 0)) };

describe("bad data: one line, and its code", () => {
  it.each<[string, string, () => Promise<Uint8Array | string | null> | Uint8Array | string | null, string, RegExp]>([
    [
      "a wrong shape",
      "a.npz",
      () => npz({ x: counted("float", [12, 15]) }),
      "shape-mismatch",
      /has the shape \[12, 15\], and input "x" takes \[.*16\]/,
    ],
    [
      "as many labels as fit others",
      "a.npz",
      () => npz({ x, labels: counted("int64", [11]) }),
      "shape-mismatch",
      /11 samples.*12/,
    ],
    [
      "labels of another shape",
      "a.npz",
      () => npz({ x, labels: counted("int64", [12, 2], () => 1) }),
      "shape-mismatch",
      /\[12, 2\]/,
    ],
    [
      "labels that are no class",
      "a.npz",
      () => npz({ x, labels: counted("int64", [12]) }),
      "shape-mismatch",
      /holds 10 at place 10.*0 to 9/,
    ],
    [
      "labels that are no whole numbers",
      "a.npz",
      () => npz({ x, labels: counted("float", [12], (i) => i / 2) }),
      "shape-mismatch",
      /0\.5/,
    ],
    ["other names", "a.npz", () => npz({ image: x, mask: x }), "missing-data", /"x".*"image", "mask"/],
    ["NaN", "a.npz", () => npz({ x: infinite, labels }), "non-finite", /NaN/],
    ["no samples", "a.npz", () => npz({ x: counted("float", [0, 16]) }), "missing-data", /empty/],
    ["no arrays", "a.npz", () => npz({}), "missing-data", /"x".*no array/],
    ["a file that is not there", "a.npz", () => null, "missing-data", /does not exist/],
    ["a file that is no zip archive", "a.npz", () => "this is no archive", "unsupported-format", /a\.npz/],
    ["an empty file", "a.npz", () => "", "unsupported-format", /a\.npz/],
    ["another kind of file", "a.csv", () => "1,2,3", "unsupported-format", /\.npz or \.npy/],
    ["an array that is cut off", "a.npy", () => npy(x).subarray(0, 300), "unsupported-format", /a\.npy/],
    ["labels that the loss needs", "a.npy", () => npy(x), "missing-data", /needs labels/],
  ])("%s", async (title, name, make, code, words) => {
    const file = folder.file(name);
    const content = await make();
    if (content !== null) writeFileSync(file, content);
    const loss = title.startsWith("labels that the loss") ? ["--loss", "cross-entropy"] : [];
    const data = content === null ? folder.file("absent.npz") : file;
    const { status, stdout, stderr } = analyze("--criterion", "snip", "--data", data, ...loss);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^[^\n]*\n$/);
    expect(stderr).toMatch(new RegExp(`^prunescope: ${code}: `));
    expect(stderr).toMatch(words);
  });
});

describe("bad options exit with 2 and say what is allowed", () => {
  it.each([
    [["--criterion", "snipp"], "magnitude"],
    [["--criterion", "snip", "--batch", "0"], "whole number from 1"],
    [["--criterion", "snip", "--batchnorm", "frozen"], "auto, stored, batch"],
    [["--criterion", "snip", "--axis", "batch"], "NAME=VALUE"],
    [["--criterion", "snip", "--axis", "batch=0"], "whole number from 1"],
    [["--criterion", "snip", "--mean", "0.5;0.5"], "numbers separated by commas"],
    [["--criterion", "snip", "--std", "0"], "recipe.std must be a number for each channel"],
    [["--criterion", "snip", "--loss", "hinge"], 'There is no loss "hinge"'],
    [["--criterion", "snip", "--loss", ":logits"], 'The model has no output "logits" for a loss. It has: "y".'],
  ])("%j", (args, words) => {
    const { status, stdout, stderr } = analyze(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
