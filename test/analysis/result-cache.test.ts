/** The result cache: what was put is got, broken entries are as good as absent, and the least recently used go first. */
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ResultCache } from "../../server/src/analysis/result-cache.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "prunescope-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("gives back typed arrays, infinities and nulls as they were", () => {
  const cache = new ResultCache(join(folder, "made", "when", "missing"), 1);
  const value = { bins: Uint16Array.of(1, 65535), cut: { hash: Infinity }, ranks: [1, null] };
  expect(cache.put("a", value)).toBe(true);
  expect(cache.get("a")).toEqual(value);
  expect(cache.get("b")).toBeNull();
});

it("takes a truncated entry as absent", () => {
  const cache = new ResultCache(folder, 1);
  cache.put("a", { some: "thing" });
  writeFileSync(join(folder, "a.result"), "half");
  expect(cache.get("a")).toBeNull();
});

it("drops the least recently used beyond its size, and never the newest", () => {
  const cache = new ResultCache(folder, 0.1);
  const block = new Uint8Array(40_000);
  ["a", "b"].forEach((key, i) => {
    cache.put(key, block);
    utimesSync(join(folder, `${key}.result`), i + 1, i + 1);
  });
  cache.get("a");
  cache.put("c", block);
  expect(readdirSync(folder).sort()).toEqual(["a.result", "c.result"]);
  cache.put("d", new Uint8Array(500_000));
  expect(readdirSync(folder)).toEqual(["d.result"]);
});

it("is not the reason that work fails", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(new ResultCache(join(file, "below"), 1).put("a", 1)).toBe(false);
});
