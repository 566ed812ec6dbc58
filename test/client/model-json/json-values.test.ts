// The walk over JSON text finds what JSON.parse finds, where JSON.parse finds it, and ends in peace where text is none.

import { describe, expect, it } from "vitest";
import { jsonValues } from "../../../client/src/model-json/json-values.js";
import { uniform } from "../../support/arrays.js";

type Found = readonly [path: string, kind: string, value: string];

/** What a walk finds, and whether it came to the end. */
function walked(text: string): { readonly found: Found[]; readonly whole: boolean } {
  const found: Found[] = [];
  const walk = jsonValues(text);
  let step = walk.next();
  for (; step.done !== true; step = walk.next()) {
    const { path, kind, value } = step.value;
    found.push([JSON.stringify(path), kind, value]);
  }
  return { found, whole: step.value };
}

/** The same out of a parsed value. */
function parsed(value: unknown, path: readonly (number | string)[] = []): Found[] {
  const at = JSON.stringify(path);
  if (Array.isArray(value)) return [[at, "array", ""], ...value.flatMap((each, i) => parsed(each, [...path, i]))];
  if (typeof value === "object" && value !== null)
    return [[at, "object", ""], ...Object.entries(value).flatMap(([key, each]) => parsed(each, [...path, key]))];
  if (typeof value === "string") return [[at, "string", value]];
  return [[at, typeof value === "number" ? "number" : "literal", JSON.stringify(value)]];
}

const strings = ["", "a", '"', "\\", '\\"', "line\nend", "ü€😀", "weightsManifest", "__proto__", "{[,:]}", "\u0000"];

/** A random value, up to four levels deep. */
function randomValue(random: () => number, depth = 0): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const size = Math.floor(random() * 4);
  const inner = (): unknown => randomValue(random, depth + 1);
  const kind = depth < 4 ? random() : 1;
  if (kind < 0.35) return Array.from({ length: size }, inner);
  if (kind < 0.7) return Object.fromEntries(Array.from({ length: size }, (_, i) => [`${pick(strings)}${i}`, inner()]));
  return pick([...strings, 0, -1, 1e21, 1.5e-7, 123456789, true, false, null]);
}

describe("a walk over JSON", () => {
  it.each([undefined, 2, "\t"])("finds what JSON.parse finds, written with an indent of %j", (indent) => {
    const random = uniform(7);
    for (let n = 0; n < 200; n++) {
      const value = randomValue(random);
      const text = JSON.stringify(value, null, indent);
      expect(walked(text), text).toEqual({ found: parsed(value), whole: true });
    }
  });

  it("finds a beginning of that in every beginning of the text, and says that it is not whole", () => {
    const value = { a: [1, { 'b"\\': "c\\" }, true], d: {}, e: "😀" };
    const text = JSON.stringify(value, null, 1);
    const all = parsed(value);
    for (let end = 0; end < text.length; end++) {
      const { found, whole } = walked(text.slice(0, end));
      expect(whole).toBe(false);
      // Only a number may be cut so that it is another one.
      expect(found).toEqual(all.slice(0, found.length));
    }
  });

  it.each([
    ["nothing", ""],
    ["words", "import tensorflow as tf"],
    ["a comment", '{ // "a": 1\n "b": 2 }'],
    ["a key without quotes", "{ a: 1 }"],
    ["no colon", '{ "a" 1 }'],
    ["another bracket", '{ "a": [1} ]'],
    ["no comma", "[1 2]"],
    ["a comma too many", "[1,]"],
    ["no number", "[NaN]"],
    ["an escape that is none", '["\\x"]'],
    ["binary", "\u0000\u0001\u0002"],
  ])("ends at %s", (_what, text) => {
    expect(walked(text).whole).toBe(false);
  });

  it.each(["[", '{"a":'])("ends in a hundred thousand of %s without going down", (opening) => {
    const { found, whole } = walked(opening.repeat(100_000));
    expect(whole).toBe(false);
    expect(found.length).toBeLessThan(100);
  });
});
