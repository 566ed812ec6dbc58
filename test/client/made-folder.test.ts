/** A folder that a save makes is there while it works, and stays only with something in it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inMadeFolder } from "../../client/src/saving/made-folder.js";

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), "prunescope-made-"))));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const fail = (): Promise<never> => Promise.reject(new Error("cancelled"));

test("it is made, and stays with what was saved", async () => {
  const folder = join(root, "a", "b");
  await inMadeFolder(folder, () => {
    writeFileSync(join(folder, "model.onnx"), "");
    return Promise.resolve();
  });
  expect(existsSync(join(folder, "model.onnx"))).toBe(true);
});

test("nothing is left of it where nothing was saved, and what was there stays", async () => {
  const before = join(root, "before");
  mkdirSync(before);
  await expect(inMadeFolder(join(before, "c", "d"), fail)).rejects.toThrow("cancelled");
  expect(existsSync(join(before, "c"))).toBe(false);
  await expect(inMadeFolder(before, fail)).rejects.toThrow("cancelled");
  expect(existsSync(before)).toBe(true);
});

test("something that was put into it keeps it", async () => {
  const folder = join(root, "kept");
  await expect(
    inMadeFolder(folder, () => {
      writeFileSync(join(folder, "other"), "");
      return fail();
    }),
  ).rejects.toThrow("cancelled");
  expect(existsSync(join(folder, "other"))).toBe(true);
});
