/**
 * The mutation fuzz of the reader at a small count: 200 mutants of each of three real models. It runs as a process of its
 * own, as by hand with more, so that a hang or a full memory fails this test and stops no other.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { byteMutations } from "./byte-mutations.js";
import { modelMutations } from "./model-mutations.js";
import { mutatedModelNames, Mutants } from "./mutants.js";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const count = 200;

test("every mutant is a graph or a coded error, in time and in the memory that its file warrants", async () => {
  const script = ["test/support/run-ts.mjs", "test/fuzz/run.ts", "--count", String(count), "--seed", "1"];
  const { output, code } = await new Promise<{ output: string; code: number | string | null }>((resolve) => {
    execFile(process.execPath, script, { cwd: repository, timeout: 150_000 }, (error, out, err) => {
      resolve({ output: out + err, code: error === null ? 0 : (error.code ?? null) });
    });
  });
  // What was found is printed with the command that replays it.
  expect(code, output).toBe(0);
  const summaries = output
    .trim()
    .split("\n")
    .map(
      (line) => JSON.parse(line) as { readonly model?: string; readonly results?: Readonly<Record<string, number>> },
    );
  for (const name of mutatedModelNames) {
    const { results = {} } = summaries.find(({ model }) => model === name) ?? {};
    expect(Object.values(results).reduce((sum, number) => sum + number, 0)).toBe(count);
    // A fuzz that only ever hits the first check tests nothing else.
    expect(results["graph"]).toBeGreaterThan(count / 20);
    expect(results["malformed-model"]).toBeGreaterThan(count / 4);
  }
}, 180_000);

test("a seed makes the same mutant every time", () => {
  const [first, second] = [new Mutants("rhasspy"), new Mutants("rhasspy")];
  for (const seed of [1, 2, 3, 99, 12_345]) {
    const [a, b] = [first.make(seed), second.make(seed)];
    expect(b.kinds).toEqual(a.kinds);
    expect(Buffer.compare(b.bytes, a.bytes)).toBe(0);
  }
});

test("every kind of mutation is drawn", () => {
  const mutants = new Mutants("rhasspy");
  const kinds = new Set(Array.from({ length: 400 }, (_, seed) => mutants.make(seed).kinds).flat());
  expect([...kinds].sort()).toEqual([...Object.keys(modelMutations), ...Object.keys(byteMutations)].sort());
});
