/** What the values of options are, and a sentence for those that are something else. */
import { InvalidArgumentError } from "commander";
import { patternOf } from "../../protocol/pattern.js";
import { maxGroup, type NofM, parsePattern } from "../../protocol/recipe.js";

/** Parser of a number between bounds, the upper one included where `closed`. */
export function numberIn(low: number, high: number, closed = false): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (value >= low && (closed ? value <= high : value < high)) return value;
    throw new InvalidArgumentError(`It must be a number in [${low}, ${high}${closed ? "]" : ")"}.`);
  };
}

/** Parser of a whole number between bounds, both included. */
export function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}

/** Parser of a pattern like 2:4. */
export function pattern(text: string): NofM {
  try {
    return parsePattern(patternOf(text));
  } catch {
    throw new InvalidArgumentError(`It must be N:M with whole numbers 1 <= N < M <= ${maxGroup}, 2:4 for example.`);
  }
}

/** Numbers separated by commas. */
export function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (values.every((value) => Number.isFinite(value))) return values;
  throw new InvalidArgumentError("It must be numbers separated by commas.");
}

/** Parser of NAME=VALUE, repeatable; names may hold "=". */
export function collect(
  parse: (text: string) => number,
): (text: string, known: Record<string, number>) => Record<string, number> {
  return (text, known) => {
    const at = text.lastIndexOf("=");
    if (at <= 0) throw new InvalidArgumentError("It must be NAME=VALUE.");
    return { ...known, [text.slice(0, at)]: parse(text.slice(at + 1)) };
  };
}
