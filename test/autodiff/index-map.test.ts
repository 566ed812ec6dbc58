/** Lists of indices as runs: no index is lost, and each run is as long as it can be. */
import { describe, expect, it } from "vitest";
import { type Run, runsOf } from "../../server/src/autodiff/index-map.js";
import { uniform } from "../support/arrays.js";

/** The indices that a run stands for. */
const indices = ({ count, lowest, step }: Run): number[] =>
  Array.from({ length: count }, (_, i) => (step === -1 ? lowest + count - 1 - i : lowest + step * i));

describe("runsOf", () => {
  it.each([
    { title: "one index", source: [3], runs: 1 },
    { title: "up", source: [2, 3, 4], runs: 1 },
    { title: "down", source: [4, 3, 2], runs: 1 },
    { title: "the same", source: [5, 5, 5], runs: 1 },
    { title: "apart", source: [0, 2, 4], runs: 3 },
    { title: "reflected on both sides", source: [2, 1, 0, 1, 2, 3, 2, 1], runs: 3 },
    { title: "nothing", source: [], runs: 0 },
  ])("$title: $runs", ({ source, runs }) => {
    expect(runsOf(source)).toHaveLength(runs);
  });

  it("loses nothing, in lists of every kind", () => {
    const random = uniform(7);
    for (let round = 0; round < 500; round++) {
      const source: number[] = [];
      const length = Math.floor(12 * random());
      for (let i = 0; i < length; i++) {
        const last = source.at(-1) ?? 5;
        source.push(random() < 0.2 ? Math.floor(10 * random()) : last + Math.floor(3 * random()) - 1);
      }
      const runs = runsOf(source);
      expect(runs.flatMap(indices)).toEqual(source);
      let next = 0;
      for (const { from, count } of runs) {
        expect(from).toBe(next);
        next += count;
      }
    }
  });
});
