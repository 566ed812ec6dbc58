// The original is recognised whatever it is called.

import { link, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sameFile } from "../../client/src/saving/same-file.js";

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "prunescope-same-"));
  await writeFile(at("a.onnx"), "a");
  await writeFile(at("b.onnx"), "a");
  await symlink(at("a.onnx"), at("symbolic.onnx"));
  await link(at("a.onnx"), at("hard.onnx"));
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ["a.onnx", true],
  ["symbolic.onnx", true],
  ["hard.onnx", true],
  ["b.onnx", false],
  ["missing.onnx", false],
])("a.onnx and %s: %s", async (other, same) => {
  expect(await sameFile(at("a.onnx"), at(other))).toBe(same);
});

it("does not take two missing files for one", async () => {
  expect(await sameFile(at("missing.onnx"), at("missing.onnx"))).toBe(false);
});
