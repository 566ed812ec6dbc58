/** A few of the thousand kills of `npm run kills`: saves in processes that are killed at random moments, seeded. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const count = 20;

test("a save that is killed leaves the old or the new, and the next one leaves what it should", async () => {
  const script = ["test/support/run-ts.mjs", "test/fuzz/kills.ts", "--count", String(count)];
  const { output, code } = await new Promise<{ output: string; code: number | string | null }>((resolve) => {
    execFile(process.execPath, script, { cwd: repository, timeout: 170_000 }, (error, out, err) => {
      resolve({ output: out + err, code: error === null ? 0 : (error.code ?? null) });
    });
  });
  expect(code, output).toBe(0);
  expect(JSON.parse(output.trim())).toMatchObject({ kills: count, findings: 0 });
}, 180_000);
