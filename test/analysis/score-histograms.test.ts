/** Score distributions against a plain count on the same logarithmic bins. */
import { expect, it } from "vitest";
import { decodeArray } from "../../server/protocol/codec.js";
import { scoreHistograms } from "../../server/src/analysis/report.js";
import { magnitude } from "../../server/src/criteria/magnitude.js";
import { OrderedScores } from "../../server/src/pruning/order.js";
import { survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, uniform } from "../support/arrays.js";

it("counts every score that is finite and not 0, within a sub-bin of where it belongs", async () => {
  const random = uniform(11);
  const values = Float32Array.from({ length: 200_000 }, () => (random() < 0.01 ? 0 : 2 ** (-3 + 6 * random())));
  const scores = new OrderedScores([arrayLayer("w", values)], false, true, 0);
  const surveys = await survey(scores, [null], () => Promise.resolve());
  const { first, perOctave, counts } = scoreHistograms({ criterion: magnitude, plain: { scores, surveys } })[0]!;
  const found = decodeArray(counts);
  const expected = new Float64Array(found.length);
  for (const value of values) if (value > 0) expected[Math.floor(perOctave * Math.log2(value)) - first]!++;
  expect(found.reduce((a, b) => a + b, 0)).toBe(values.filter((value) => value > 0).length);
  // Scores are uniform in their logarithm, so every bin holds about 4,100; a sub-bin at an edge holds at most 1/8 of a
  // bin and is shared out by width in value instead of by its own scores.
  found.forEach((count, i) => expect(Math.abs(count - expected[i]!)).toBeLessThan(120));
});
