/** `prunescope eoc` in this process: what it prints, and what it refuses. */
import { Command, CommanderError } from "commander";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { addEoc } from "../../server/src/cli/eoc.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What the command prints. Colours are off where output is no terminal. */
async function eoc(...args: string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const program = new Command("prunescope").exitOverride();
  addEoc(program);
  for (const command of program.commands) command.exitOverride();
  await program.parseAsync(["node", "prunescope", "eoc", ...args]);
  return written.join("");
}

const json = async (...args: string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await eoc(...args, "--format", "json")) as Record<string, unknown>;

describe("JSON", () => {
  it("has the keys that scripts rely on, first and in this order", async () => {
    const report = await json("--activation", "tanh", "--sigma-b", "0.2");
    expect(Object.keys(report).slice(0, 7)).toEqual(["activation", "sigmaW", "sigmaB", "q", "chi", "status", "vPrime"]);
    expect(report).toMatchObject({ activation: "tanh", sigmaB: 0.2, status: "stable", nearest: null });
    expect(report["sigmaW"]).toBeCloseTo(1.304146, 6);
    expect(report["q"]).toBeCloseTo(0.512079, 6);
    expect(report["chi"]).toBeCloseTo(1, 9);
    expect(report["vPrime"]).toBeLessThan(1);
  });

  it("is a status and a way out where there is no point", async () => {
    expect(await json("--activation", "relu", "--sigma-b", "0.2")).toMatchObject({
      status: "none",
      sigmaW: null,
      q: null,
      chi: null,
      vPrime: null,
      nearest: { sigmaB: 0 },
    });
    expect(await json("--activation", "gelu", "--sigma-b", "0.2")).toMatchObject({ status: "unstable" });
  });

  it("takes parameters, a σ_w to judge, and lists the curve", async () => {
    const report = await json("--activation", "elu", "--parameter", "alpha=2", "--sigma-w", "3", "--curve");
    expect(report).toMatchObject({
      activation: "elu(alpha=2)",
      onnx: { op: "Elu", attributes: { alpha: 2 } },
      phase: { phase: "chaotic" },
    });
    expect(JSON.stringify(report["curve"])).toContain('"kind":"stable"');
  });
});

describe("the table", () => {
  it("shows the point, and the nearest one where it does not hold", async () => {
    expect(await eoc("--activation", "tanh", "--sigma-b", "0.2")).toMatch(/σ_w +1\.304146/);
    expect(await eoc("--activation", "gelu", "--sigma-b", "0.2")).toMatch(/nearest +σ_b 0\.4158/);
    expect(await eoc("--activation", "relu")).toMatch(/q +any/);
  });

  it("says of the curve what is missing", async () => {
    const text = await eoc("--activation", "sigmoid", "--curve");
    expect(text).toMatch(/no point from q = 1e-8 to 45\.6/);
    expect(text.match(/stable\n/g)!.length).toBeGreaterThan(50);
  });
});

it("prints code where there is something to initialise with", async () => {
  expect(await eoc("--activation", "tanh", "--sigma-b", "0.2", "--code", "pytorch")).toContain("SIGMA_W");
  await expect(eoc("--activation", "softplus", "--code", "jax")).rejects.toThrow(/no edge of chaos/);
});

describe("mistakes", () => {
  it.each([
    ["an unknown activation", ["--activation", "nope"], "tanh"],
    ["a σ_b below 0", ["--activation", "tanh", "--sigma-b", "-1"], "σ_b must be 0"],
    ["a σ_w of 0", ["--activation", "tanh", "--sigma-w", "0"], "σ_w must be above 0"],
    ["an unknown parameter", ["--activation", "tanh", "--parameter", "alpha=1"], "no parameter"],
  ])("%s: bad-request with a sentence", async (_, args, words) => {
    const error: unknown = await eoc(...args).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PruneScopeError);
    expect(error).toMatchObject({ code: "bad-request", message: expect.stringContaining(words) as string });
  });

  it.each([
    ["no activation", []],
    ["a σ_b that is no number", ["--activation", "tanh", "--sigma-b", "x"]],
    ["a parameter without a value", ["--activation", "elu", "--parameter", "alpha"]],
    ["an unknown framework", ["--activation", "tanh", "--code", "theano"]],
  ])("%s: bad usage", async (_, args) => {
    await expect(eoc(...args)).rejects.toBeInstanceOf(CommanderError);
  });
});
