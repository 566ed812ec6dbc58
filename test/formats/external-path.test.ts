/** Paths of external data, by the rules of POSIX and of Windows wherever the test runs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, posix, win32 } from "node:path";
import { afterAll, expect, test } from "vitest";
import { externalPath, refusedLocation } from "../../server/src/formats/onnx/external-path.js";
import { refusedLocations, soundLocations } from "../cases/bad-external.js";
import { ModelFolder } from "../support/model-folder.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

test.each(refusedLocations)("$location $reason", ({ location, reason }) => {
  expect(refusedLocation(location)).toBe(reason);
  expect(() => externalPath(folder.file("m.onnx"), location, "w")).toThrow(
    expect.objectContaining({ code: "unsafe-path", about: { file: folder.file("m.onnx"), value: "w" } }),
  );
});

test.each(soundLocations)("%s stays in the folder and is found there", (location) => {
  expect(refusedLocation(location)).toBeNull();
  const path = folder.file(location);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  expect(externalPath(folder.file("m.onnx"), location, "w")).toBe(path);
});

test("no wording that is let through leads out of the folder, on either platform", () => {
  const parts = ["..", ".", "", "a", "b.bin", "...", ".. ", " ..", "C:", "con", "nul.x", "~", "%2e%2e"];
  const separators = ["/", "\\"];
  for (const first of parts) {
    for (const second of parts) {
      for (const third of parts) {
        for (const a of separators) {
          for (const b of separators) {
            const location = `${first}${a}${second}${b}${third}`;
            if (refusedLocation(location) !== null) continue;
            expect(posix.resolve("/home/models", location).startsWith("/home/models"), location).toBe(true);
            expect(win32.resolve("C:\\home\\models", location).startsWith("C:\\home\\models"), location).toBe(true);
          }
        }
      }
    }
  }
});

test("a model in the root folder has its data there", () => {
  expect(() => externalPath("/m.onnx", "surely-not-there.bin", "w")).toThrow(
    expect.objectContaining({ code: "missing-data" }),
  );
});
