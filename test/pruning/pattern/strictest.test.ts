/** Which patterns are the strictest, against the definition: those met patterns that no other one that is met implies. */
import { expect, it } from "vitest";
import { groupSizes, strictestPatterns } from "../../../server/src/pruning/pattern/strictest.js";
import { holed } from "../../support/groups.js";

/** Most elements that are not 0 in a group, for each size. */
const mostOf = (values: readonly number[]): Map<number, number> =>
  new Map(
    groupSizes.map((m) => [
      m,
      Math.max(
        ...Array.from(
          { length: values.length / m },
          (_, g) => values.slice(g * m, (g + 1) * m).filter((one) => one !== 0).length,
        ),
      ),
    ]),
  );

const names = (values: readonly number[]): string[] => strictestPatterns(mostOf(values)).map(({ n, m }) => `${n}:${m}`);
/** 64 elements: the given ones over and over. */
const repeated = (...group: number[]): number[] => Array.from({ length: 64 }, (_, i) => group[i % group.length]!);

it.each([
  ["nothing for dense weights", repeated(1), []],
  ["2:4, which is 4:8 too", repeated(1, 1, 0, 0), ["2:4"]],
  ["1:2, which is 2:4 too", repeated(1, 0), ["1:2"]],
  ["1:4, which is 1:2 and 2:8 too", repeated(1, 0, 0, 0), ["1:4"]],
  ["2:8 that is not 1:4, and 2:4 follows from it", repeated(1, 1, 0, 0, 0, 0, 0, 0), ["2:8"]],
  ["2:8 and 1:2, neither of which follows from the other", repeated(1, 0, 1, 0, 0, 0, 0, 0), ["2:8", "1:2"]],
  ["1:16 where everything is 0", repeated(0), ["1:16"]],
  ["2:4, which is 4:8 too, where three of eight are kept", repeated(1, 1, 0, 0, 0, 0, 1, 0), ["2:4"]],
  [
    "2:8, which is 4:16 too, where three of sixteen are",
    repeated(1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    ["2:8"],
  ],
  ["nothing where three of four are kept", repeated(1, 1, 1, 0), []],
])("%s", (_, values, expected) => {
  expect(names(values)).toEqual(expected);
});

it("every pattern that a layer meets follows from one that is named, by counting in drawn layers", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const values = holed(seed, 64, 0.5 + (seed % 50) / 100);
    const most = mostOf(values);
    const named = strictestPatterns(most);
    for (const m of groupSizes) {
      for (let n = 1; n <= m / 2; n *= 2) {
        if (n < most.get(m)!) continue;
        // A group of m is made of, or lies inside of, groups that a named pattern bounds.
        const bound = Math.min(...named.map((one) => (m >= one.m ? one.n * (m / one.m) : one.n)));
        expect(bound).toBeLessThanOrEqual(n);
      }
    }
  }
});
