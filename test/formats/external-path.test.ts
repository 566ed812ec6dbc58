/** Paths of external data, by the rules of POSIX and of Windows wherever the test runs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, posix, win32 } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { isInside } from "../../server/src/formats/inside.js";
import { externalPath, located, refusedLocation } from "../../server/src/formats/external-path.js";
import { refusedLocations, soundLocations } from "../cases/bad-external.js";
import { ModelFolder } from "../support/model-folder.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

test.each(refusedLocations)("$location $reason", ({ location, reason }) => {
  expect(refusedLocation(location)).toBe(reason);
  expect(() => externalPath(folder.file("m.onnx"), location, 'tensor "w"', "w")).toThrow(
    expect.objectContaining({ code: "unsafe-path", about: { file: folder.file("m.onnx"), value: "w" } }),
  );
});

test.each(soundLocations)("%s stays in the folder and is found there", (location) => {
  expect(refusedLocation(location)).toBeNull();
  const path = folder.file(location);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  expect(externalPath(folder.file("m.onnx"), location, 'tensor "w"', "w")).toBe(path);
});

const platforms = [
  { name: "POSIX", rules: posix, home: "/home/models", other: "/home/model" },
  { name: "Windows", rules: win32, home: "C:\\home\\models", other: "C:\\home\\model" },
  { name: "a Windows share", rules: win32, home: "\\\\server\\share\\models", other: "\\\\server\\other\\models" },
  { name: "a Windows drive", rules: win32, home: "D:\\", other: "C:\\" },
] as const;

describe.each(platforms)("by the rules of $name", ({ rules, home, other }) => {
  test("no wording that is let through leads out of the folder", () => {
    const parts = ["..", ".", "", "a", "b.bin", "...", ".. ", " ..", "C:", "con", "nul.x", "~", "%2e%2e", "a:b", "\\"];
    const separators = ["/", "\\"];
    let letThrough = 0;
    const outside: string[] = [];
    for (const first of parts) {
      for (const second of parts) {
        for (const third of parts) {
          for (const a of separators) {
            for (const b of separators) {
              const location = `${first}${a}${second}${b}${third}`;
              if (refusedLocation(location) !== null) continue;
              letThrough++;
              const ways = [rules.resolve(home, location), located(home, location, rules)];
              if (!ways.every((way) => isInside(home, way, rules))) outside.push(location);
            }
          }
        }
      }
    }
    expect(outside).toEqual([]);
    expect(letThrough).toBeGreaterThan(50);
  });

  test("hostile wordings are refused that would lead elsewhere here", () => {
    const elsewhere = refusedLocations.filter(
      ({ location }) => location !== "" && !isInside(home, rules.resolve(home, location), rules),
    );
    // What leads out, drives and shares; from the root of a drive nothing leads up.
    expect(elsewhere.length).toBeGreaterThanOrEqual(5);
  });

  test("a folder holds itself and what is below, and not what begins alike", () => {
    expect(isInside(home, home, rules)).toBe(true);
    expect(isInside(home, rules.join(home, "sub", "..w.bin"), rules)).toBe(true);
    for (const outside of [other, rules.join(other, "w.bin"), rules.resolve(home, "..", "..", "x", "y")])
      expect(isInside(home, outside, rules), outside).toBe(outside.startsWith(home));
  });
});

test("Windows knows one folder by any case, and backslashes as separators", () => {
  expect(isInside("C:\\Models", "c:\\models\\W.bin", win32)).toBe(true);
  expect(located("C:\\m", "sub\\w.bin", win32)).toBe("C:\\m\\sub\\w.bin");
  expect(located("C:\\m", "./sub/w.bin", win32)).toBe("C:\\m\\sub\\w.bin");
  // Elsewhere a backslash is a character of the name.
  expect(located("/m", "sub\\w.bin", posix)).toBe("/m/sub\\w.bin");
});

test("a model in the root folder has its data there", () => {
  expect(() => externalPath("/m.onnx", "surely-not-there.bin", 'tensor "w"', "w")).toThrow(
    expect.objectContaining({ code: "missing-data" }),
  );
});
