/** The built command line on several models: globs, outputs, summaries, what fails and what that ends with. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BatchReport, CheckedModels } from "../../server/protocol/batch.js";
import type { Report } from "../../server/protocol/report.js";
import type { HeldReport } from "../../server/protocol/sparsity.js";
import { withPattern } from "../support/groups.js";
import { ModelFolder } from "../support/model-folder.js";
import { mlp, model, node, normals, tensor, type TestModel, value, weight } from "../support/models.js";
import { sarifLog } from "../support/sarif.js";

const cli = join(import.meta.dirname, "..", "..", "dist", "cli.js");

/** Two Gemm layers [8, 16] and [6, 8] that hold 2:4, but for `extra` weights of the second; one [6, 1] that cannot. */
function twoOfFour(extra: number): TestModel {
  const pruned = (shape: readonly [number, number], seed: number): number[] =>
    withPattern(normals(seed, shape[0] * shape[1]), shape, 1, { n: 2, m: 4 });
  const second = pruned([6, 8], 2);
  const holes = second.flatMap((one, i) => (one === 0 ? [i] : []));
  for (const hole of holes.slice(0, extra)) second[hole] = 1;
  return model({
    graph: {
      nodes: [
        node("Gemm", ["x", "first"], ["h"], { transB: 1 }),
        node("Gemm", ["h", "second"], ["g"], { transB: 1 }),
        node("Gemm", ["g", "third"], ["y"], {}),
      ],
      inputs: [value("x", "float", [1, 16])],
      outputs: [value("y", "float", [1, 1])],
      initializers: [
        tensor("first", "float", [8, 16], pruned([8, 16], 1)),
        tensor("second", "float", [6, 8], second),
        weight("third", [6, 1], 3),
      ],
    },
  });
}

let folder: ModelFolder;
beforeAll(() => {
  folder = new ModelFolder();
  mkdirSync(folder.file("models/über uns"), { recursive: true });
  folder.write("models/a.onnx", mlp({ seed: 1 }));
  folder.write("models/broken.onnx", "this is no model\n");
  folder.write("models/über uns/a.onnx", mlp({ seed: 2 }));
  folder.write("dense.onnx", mlp({ seed: 1 }));
  folder.write("held.onnx", twoOfFour(0));
  folder.write("one more.onnx", twoOfFour(1));
});
afterAll(() => {
  folder.dispose();
});

const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [cli, ...args], { encoding: "utf8", cwd: folder.path });
const twice = <T>(one: T): T[] => [one, one];
/** One line, and no stack. */
const line = (stderr: string): string => {
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return stderr;
};

describe("analyze", () => {
  it("gives one report to one model, and an object with all of them to a batch", () => {
    const one = run("analyze", "dense.onnx", "--quick", "--format", "json");
    expect([one.status, one.stderr]).toEqual([0, ""]);
    const report = JSON.parse(one.stdout) as Report;
    expect(report).toMatchObject({ schema: "prunescope.report/1" });
    expect(report.held).toBeUndefined();

    const { status, stdout, stderr } = run("analyze", "models/**/*.onnx", "--quick", "--format", "json");
    expect(status).toBe(1);
    expect(line(stderr)).toMatch(/^prunescope: 1 of 3 models did not pass.*broken\.onnx/);
    const { schema, models } = JSON.parse(stdout) as BatchReport;
    expect(schema).toBe("prunescope.batch/1");
    expect(models.map((entry) => ("error" in entry ? entry.error.code : entry.schema))).toEqual([
      "prunescope.report/1",
      "malformed-model",
      "prunescope.report/1",
    ]);
    expect(models.map((entry) => entry.model.path)).toEqual(
      ["a.onnx", "broken.onnx", "über uns/a.onnx"].map((name) => folder.file(`models/${name}`)),
    );
    const [first] = models as Report[];
    expect({ ...first, model: null }).toEqual({ ...report, model: null });
  });

  it("fails on collapse where it is asked to, and says so in SARIF", () => {
    const args = ["analyze", "dense.onnx", "models/über uns/a.onnx", "--quick", "--sparsity", "0.995"];
    const { status, stdout, stderr } = run(...args, "--format", "sarif", "--fail-on", "collapse");
    expect(status).toBe(1);
    expect(line(stderr)).toMatch(/2 of 2 models did not pass.*collapses/);
    const results = sarifLog(stdout).runs[0]!.results!;
    const json = JSON.parse(run(...args, "--format", "json").stdout) as { models: Report[] };
    const collapsed = json.models.flatMap(({ layers }) => layers.filter(({ risk }) => risk === "collapsed"));
    expect(collapsed.length).toBeGreaterThan(0);
    expect(results.filter(({ ruleId }) => ruleId === "collapsed-layer")).toHaveLength(collapsed.length);
  });

  it("tells a batch apart in CSV, and sums it up in a table", () => {
    const args = ["analyze", "dense.onnx", "held.onnx", "--quick"];
    const rows = run(...args, "--format", "csv")
      .stdout.trim()
      .split("\r\n");
    expect(rows[0]).toMatch(/^model,id,name,op/);
    expect(rows.slice(1).map((row) => row.split(",")[0])).toEqual(
      ["dense", "dense", "held", "held", "held"].map((name) => folder.file(`${name}.onnx`)),
    );
    const { status, stdout } = run(...args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Summary\n.*outcome\ndense\.onnx +2 +90\.\d+ %.*\nheld\.onnx +3 .*analysed\n$/);
  });

  it("says what a sparse model holds, by any criterion", () => {
    const { stdout } = run("analyze", "held.onnx", "--quick", "--criterion", "random", "--format", "json");
    const held = (JSON.parse(stdout) as Report).held as HeldReport;
    expect(held).toMatchObject({ prunable: 182, zeros: 88 });
    expect(held.layers.map(({ patterns }) => patterns)).toEqual([[{ n: 2, m: 4 }], [{ n: 2, m: 4 }], []]);
    expect(run("analyze", "held.onnx", "--quick").stdout).toMatch(
      /holds already\n88 of 182 .*\nfirst +50\.0 % {2}holds 2:4/,
    );
  });
});

describe("prune", () => {
  it("writes a batch into a folder, the folders below it kept, and goes on where one fails", () => {
    const { status, stdout, stderr } = run("prune", "models/**/*.onnx", "-o", "out", "--no-verify");
    expect(status).toBe(1);
    expect(line(stderr)).toContain("broken.onnx");
    expect(readdirSync(folder.file("out"), { recursive: true }).sort()).toEqual([
      "a.magnitude-90.onnx",
      "über uns",
      join("über uns", "a.magnitude-90.onnx"),
    ]);
    expect(stdout).toMatch(/broken\.onnx .*not an ONNX model/);
    expect(stdout.match(/ saved\n/g)).toHaveLength(2);
  });

  it("writes nothing of a model that does not meet what is asked", () => {
    const one = ["prune", "dense.onnx", "--sparsity", "0.995", "--fail-on", "collapse"];
    const refused = run(...one, "-o", "gone.onnx");
    expect(refused.status).toBe(1);
    expect(line(refused.stderr)).toMatch(/^prunescope: dense\.onnx: .*collapse/);
    expect(existsSync(folder.file("gone.onnx"))).toBe(false);
    const { status } = run("prune", "dense.onnx", "-o", "kept/", "--fail-on", "collapse,high", "--sparsity", "0.1");
    expect(status).toBe(0);
    expect(readdirSync(folder.file("kept"))).toEqual(["dense.magnitude-10.onnx"]);
  });

  it("never overwrites an input", () => {
    const before = readFileSync(folder.file("dense.onnx"));
    folder.write("dense.magnitude-90.onnx", before);
    const { status, stderr } = run("prune", "dense*.onnx", "-o", ".");
    expect(status).toBe(2);
    expect(line(stderr)).toContain("would overwrite");
    expect(readFileSync(folder.file("dense.magnitude-90.onnx")).equals(before)).toBe(true);
  });
});

describe("check", () => {
  it("ends with 0 where the pattern holds and with 1 at one weight too many, a line for each layer", () => {
    const held = run("check", "held.onnx", "--nm", "2:4");
    expect([held.status, held.stderr]).toEqual([0, ""]);
    expect(held.stdout).toContain("2:4 holds: 2 of 2 layers that can hold it do; 1 cannot.");
    expect(held.stdout).toMatch(
      /\nfirst .* holds .*32 groups.*\nsecond .* holds .*12 groups.*\nthird .* cannot +.*6 elements/s,
    );
    const broken = run("check", "one more.onnx", "--nm", "2:4");
    expect(broken.status).toBe(1);
    expect(broken.stdout).toMatch(
      /\nsecond .* fails +1 of 12 groups have more than 2 weights that are not 0, the first at \[0, 0\]/,
    );
    expect(line(broken.stderr)).toContain("does not hold");
  });

  it("takes exclusions, several models, JSON and SARIF", () => {
    expect(run("check", "one more.onnx", "--nm", "2:4", "--exclude", "second").status).toBe(0);
    const args = ["check", "held.onnx", "one more.onnx", "absent.onnx", "--nm", "2:4"];
    const { status, stdout } = run(...args, "--format", "json");
    expect(status).toBe(1);
    const { schema, holds, models } = JSON.parse(stdout) as CheckedModels;
    expect({ schema, holds }).toEqual({ schema: "prunescope.check/1", holds: false });
    expect(models.map((entry) => ("error" in entry ? entry.error.code : entry.holds))).toEqual([
      true,
      false,
      "missing-data",
    ]);
    const [found] = sarifLog(run(...args, "--format", "sarif").stdout).runs;
    // One layer of each of the two models cannot hold it, which is worth a note.
    expect(found!.results!.map(({ ruleId }) => ruleId).sort()).toEqual([
      "pattern-failed",
      ...twice("pattern-impossible"),
    ]);
    expect(found!.results!.filter(({ ruleId }) => ruleId === "pattern-failed")).toMatchObject([
      {
        ruleId: "pattern-failed",
        level: "error",
        locations: [
          {
            physicalLocation: { artifactLocation: { uri: "one%20more.onnx" } },
            logicalLocations: [{ name: "second" }],
          },
        ],
      },
    ]);
    expect(found!.invocations![0]!.executionSuccessful).toBe(false);
  });
});

it("what prune writes under a pattern, check proves; one weight more, and it does not", () => {
  const pruned = run("prune", "dense.onnx", "-o", "proved/", "--nm", "2:4", "--fail-on", "pattern", "--no-verify");
  expect([pruned.status, pruned.stderr]).toEqual([0, ""]);
  const [name] = readdirSync(folder.file("proved"));
  const path = folder.file(join("proved", name!));
  expect(run("check", path, "--nm", "2:4").status).toBe(0);
  const read = readFileSync(path);
  // layer0.weight [32, 16] stands in the file as it was made: its first zero is filled in.
  const dense = Float32Array.from(normals(1, 512, Math.sqrt(2 / 16)));
  const start = readFileSync(folder.file("dense.onnx")).indexOf(Buffer.from(dense.buffer));
  expect(start).toBeGreaterThan(0);
  const hole = Array.from({ length: 512 }, (_, i) => i).find((i) => read.readFloatLE(start + 4 * i) === 0)!;
  read.writeFloatLE(dense[hole]!, start + 4 * hole);
  folder.write("broken again.onnx", read);
  const { status, stdout } = run("check", "broken again.onnx", "--nm", "2:4");
  expect(status).toBe(1);
  expect(stdout).toContain("1 of 128 groups have more than 2");
});

it.each([
  [["check", "held.onnx"], "--nm"],
  [["check", "held.onnx", "--nm", "4:2"], "1 <= N < M"],
  [["check", "held.onnx", "--nm", "2:4", "--exclude", "nobody"], "nobody"],
  [["check", "held.onnx", "--nm", "2:4", "--fail-on", "luck"], "collapse, high, pattern, none"],
  [["analyze", "held.onnx", "--fail-on", "none,high"], "alone"],
  [["analyze", "held.onnx", "dense.onnx", "--format", "html"], "one model"],
  [["prune", "held.onnx", "dense.onnx", "-o", "held.onnx"], "is a file"],
  [["prune", "held.onnx", "dense.onnx", "-o", "out", "--replace"], "--replace"],
])("%j is bad usage", (args, words) => {
  const { status, stderr } = run(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(words);
  expect(stderr).not.toMatch(/\n\s+at /);
});
