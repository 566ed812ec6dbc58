/** Patterns that people ask for, and how a pattern is written: `2:4`. */
import type { NofM } from "./recipe.js";

/** Offered where a pattern is chosen, the one that hardware knows first. */
export const usualPatterns: readonly NofM[] = [
  { n: 2, m: 4 },
  { n: 1, m: 4 },
  { n: 4, m: 8 },
  { n: 1, m: 2 },
];

/** `2:4` */
export const patternText = ({ n, m }: NofM): string => `${n}:${m}`;

/** The pattern of a text like `2:4`; null when it is none. */
export function patternOf(text: string): NofM | null {
  const match = /^(\d{1,4}):(\d{1,4})$/.exec(text.trim());
  return match === null ? null : { n: Number(match[1]), m: Number(match[2]) };
}
