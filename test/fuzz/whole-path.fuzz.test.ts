/**
 * A few of the mutants of `npm run fuzz`, the whole way through a real engine: opened, analysed, saved, verified. And what
 * longer runs have found, by name.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const count = 120;

test("every mutant ends in an answer or a coded error, in time, and nothing is written elsewhere", async () => {
  const script = ["test/support/run-ts.mjs", "test/fuzz/whole-path.ts", "--count", String(count), "--seed", "1"];
  const { output, code } = await new Promise<{ output: string; code: number | string | null }>((resolve) => {
    execFile(process.execPath, script, { cwd: repository, timeout: 170_000 }, (error, out, err) => {
      resolve({ output: out + err, code: error === null ? 0 : (error.code ?? null) });
    });
  });
  expect(code, output).toBe(0);
  const { results, ...rest } = JSON.parse(output.trim().split("\n").at(-1)!) as {
    readonly mutants: number;
    readonly findings: number;
    readonly results: Readonly<Record<string, number>>;
  };
  expect(rest).toMatchObject({ mutants: count, findings: 0 });
  // A fuzz that only ever hits the first check tests nothing else.
  const saved = Object.entries(results).filter(([result]) => /^verif/.test(result));
  expect(saved.reduce((sum, [, number]) => sum + number, 0)).toBeGreaterThan(count / 10);
}, 180_000);
