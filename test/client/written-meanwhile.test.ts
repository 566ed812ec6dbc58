/** Saves that are cancelled when the file has its name already. */
import { rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { Cancelled } from "../../client/src/server/request-error.js";
import { tellingWhatIsThere } from "../../client/src/saving/written-meanwhile.js";
import { ModelFolder } from "../support/model-folder.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

const folder = new ModelFolder();
const target = folder.file("m.snip-90.onnx");
const written = vi.fn();
beforeEach(() => {
  rmSync(target, { force: true });
  written.mockClear();
});
afterAll(() => {
  folder.dispose();
});

const cancelledAfter = (work: () => void) => (): Promise<never> => {
  work();
  return Promise.reject(new Cancelled());
};

it("tells of a file that a cancelled save has written, and stays cancelled", async () => {
  const save = cancelledAfter(() => {
    writeFileSync(target, "new");
  });
  await expect(tellingWhatIsThere(target, save, written)).rejects.toThrow(Cancelled);
  expect(written).toHaveBeenCalledOnce();
});

it("tells of one that took another's place", async () => {
  writeFileSync(target, "an older save");
  const save = cancelledAfter(() => {
    writeFileSync(target, "new");
  });
  await expect(tellingWhatIsThere(target, save, written)).rejects.toThrow(Cancelled);
  expect(written).toHaveBeenCalledOnce();
});

it.each([["nothing"], ["an older save"]])("says nothing where %s was there and stays", async (before) => {
  if (before !== "nothing") writeFileSync(target, before);
  await expect(
    tellingWhatIsThere(
      target,
      cancelledAfter(() => undefined),
      written,
    ),
  ).rejects.toThrow(Cancelled);
  expect(written).not.toHaveBeenCalled();
});

it("says nothing of a save that failed or went through", async () => {
  const fail = (): Promise<never> => {
    writeFileSync(target, "new");
    return Promise.reject(new Error("no"));
  };
  await expect(tellingWhatIsThere(target, fail, written)).rejects.toThrow("no");
  expect(await tellingWhatIsThere(target, () => Promise.resolve(3), written)).toBe(3);
  expect(written).not.toHaveBeenCalled();
});
