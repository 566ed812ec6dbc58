/** The result cache: what was put is got, broken entries are as good as absent, and the least recently used go first. */
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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

it("gives back numbers from any place, and takes a file of another length as absent", () => {
  const cache = new ResultCache(folder, 1);
  expect(cache.putNumbers("a", [Float32Array.of(1, 2), Float32Array.of(3, -0, NaN)])).toBe(true);
  const out = new Float32Array(3);
  cache.numbers("a", 5)!(2, out);
  expect(out).toEqual(Float32Array.of(3, -0, NaN));
  expect(cache.numbers("a", 6)).toBeNull();
  expect(cache.numbers("b", 5)).toBeNull();
  expect(() => {
    cache.numbers("a", 5)!(3, out);
  }).toThrow("is cut off");
});

describe("beyond its size", () => {
  /** A cache as the next job opens it: 0.1 MB. */
  const opened = (): ResultCache => new ResultCache(folder, 0.1);
  const block = new Uint8Array(40_000);

  it("drops the least recently used", () => {
    ["a", "b"].forEach((key, i) => {
      opened().put(key, block);
      utimesSync(join(folder, `${key}.result`), i + 1, i + 1);
    });
    opened().get("a");
    opened().put("c", block);
    expect(readdirSync(folder).sort()).toEqual(["a.result", "c.result"]);
    opened().put("d", new Uint8Array(500_000));
    expect(readdirSync(folder)).toEqual(["d.result"]);
  });

  it("keeps everything that a job wrote or read", () => {
    const job = opened();
    job.putNumbers("scores", [new Float32Array(100_000)]);
    for (const key of ["scores", "survey", "mask"]) job.put(key, block);
    const kept = ["mask.result", "scores.numbers", "scores.result", "survey.result"];
    expect(readdirSync(folder).sort()).toEqual(kept);
    const next = opened();
    expect(next.numbers("scores", 100_000)).not.toBeNull();
    for (const key of ["scores", "survey"]) next.get(key);
    next.put("mask", block);
    expect(readdirSync(folder).sort()).toEqual(kept);
    opened().put("other", new Uint8Array(200_000));
    expect(readdirSync(folder)).toEqual(["other.result"]);
  });
});

it("leaves nothing behind of what could not be written", () => {
  const cache = new ResultCache(folder, 1);
  const failing = function* (): Iterable<Float32Array> {
    yield new Float32Array(8);
    throw new Error("the criterion's field cannot be read");
  };
  expect(cache.putNumbers("a", failing())).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

it("is not the reason that work fails", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(new ResultCache(join(file, "below"), 1).put("a", 1)).toBe(false);
});
