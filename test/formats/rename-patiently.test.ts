/** Windows refuses to rename over a file that somebody has open, for a moment or for good; elsewhere a refusal is final. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AtomicFile } from "../../server/src/formats/atomic-file.js";
import { renamePatiently } from "../../server/src/formats/rename-patiently.js";
import { ModelFolder } from "../support/model-folder.js";

/** Attempts to rename that are still refused, with which code, and the waits between them. */
const held = vi.hoisted(() => ({ times: 0, code: "EPERM", waits: [] as number[] }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  return {
    ...fs,
    renameSync: (from: string, to: string) => {
      if (held.times-- > 0) throw Object.assign(new Error(`${held.code}: simulated`), { code: held.code });
      fs.renameSync(from, to);
    },
  };
});
vi.mock("node:timers/promises", () => ({
  setTimeout: (milliseconds: number) => {
    held.waits.push(milliseconds);
    return Promise.resolve();
  },
}));

const folder = new ModelFolder();
const { platform } = process;
const onPlatform = (name: NodeJS.Platform): void => {
  Object.defineProperty(process, "platform", { value: name });
};
beforeEach(() => {
  Object.assign(held, { times: 0, code: "EPERM", waits: [] });
});
afterEach(() => {
  onPlatform(platform);
});
afterAll(() => {
  folder.dispose();
});

function draft(): { readonly from: string; readonly to: string } {
  const from = folder.file("draft");
  writeFileSync(from, "new");
  writeFileSync(folder.file("model"), "old");
  return { from, to: folder.file("model") };
}

describe("on Windows", () => {
  test.each(["EPERM", "EACCES", "EBUSY"])("%s is tried again with growing waits until it passes", async (code) => {
    const { from, to } = draft();
    Object.assign(held, { times: 5, code });
    onPlatform("win32");
    await renamePatiently(from, to);
    expect(readFileSync(to, "utf8")).toBe("new");
    expect(held.waits).toEqual([10, 20, 40, 80, 160]);
  });

  test("a file that stays open is given up after a few seconds, and nothing has changed", async () => {
    const target = folder.file("target.onnx");
    writeFileSync(target, "old");
    held.times = 100;
    onPlatform("win32");
    const file = new AtomicFile(target);
    file.append(new Uint8Array(10));
    await expect(file.commit()).rejects.toMatchObject({
      code: "write-failed",
      message: expect.stringMatching(/another program has it open .*Nothing was changed\.$/) as string,
    });
    await file.discard();
    const waited = held.waits.reduce((sum, wait) => sum + wait, 0);
    expect(waited).toBeGreaterThan(2000);
    expect(waited).toBeLessThan(5000);
    expect(readFileSync(target, "utf8")).toBe("old");
    expect(existsSync(file.temporary)).toBe(false);
  });

  test("what no waiting helps is not waited for", async () => {
    const { from, to } = draft();
    Object.assign(held, { times: 1, code: "ENOSPC" });
    onPlatform("win32");
    await expect(renamePatiently(from, to)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(held.waits).toEqual([]);
  });
});

test("elsewhere a refusal is final", async () => {
  const { from, to } = draft();
  held.times = 1;
  onPlatform("linux");
  await expect(renamePatiently(from, to)).rejects.toMatchObject({ code: "EPERM" });
  expect(held.waits).toEqual([]);
  expect(readFileSync(to, "utf8")).toBe("old");
});
