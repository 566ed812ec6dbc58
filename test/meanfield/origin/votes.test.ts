/**
 * Weights as frameworks draw them are called fresh, 99 times of 100 at least, under masks and rounded too; what is known to
 * be left by training is not.
 */
import { describe, expect, it } from "vitest";
import type { Origin, OriginVote } from "../../../server/protocol/insights.js";
import { arrayField } from "../../../server/src/formats/stored-elements.js";
import { layerVerdict } from "../../../server/src/meanfield/origin/verdict.js";
import {
  biasVote,
  distributionVote,
  isMasked,
  spectrumVote,
  togetherVoted,
} from "../../../server/src/meanfield/origin/votes.js";
import { weightStatistics, type WeightStatistics } from "../../../server/src/meanfield/origin/weight-statistics.js";
import { uniform } from "../../support/arrays.js";
import { centred, type Draw, draws, normal } from "../../support/draws.js";

const [outputs, inputs] = [28, 48] as const;
const fans = { fanIn: inputs, fanOut: outputs, hidden: null };

const statisticsOf = (values: ArrayLike<number>): WeightStatistics =>
  weightStatistics(arrayField(Float32Array.from(values)));

/** Of a matrix [28, 48]: distribution and spectrum. */
function votesOf(elements: Float32Array, coarse = false): OriginVote[] {
  const found = statisticsOf(elements);
  const matrix = { rows: outputs, columns: inputs, elements: Float64Array.from(elements) };
  return [distributionVote(found, fans, coarse)!, spectrumVote(matrix, isMasked(found), !coarse)!];
}

const verdictOf = (elements: Float32Array, coarse = false): Origin => layerVerdict(votesOf(elements, coarse));
const drawn = (draw: Draw, seed: number): Float32Array => draw(outputs, inputs, uniform(1000 * seed));
const counted = (count: number, one: (seed: number) => Origin, verdict: Origin): number =>
  Array.from({ length: count }, (_, i) => one(i + 1)).filter((found) => found === verdict).length;

describe.each(Object.entries(draws))("%s", (name, draw) => {
  it("is called fresh by its distribution and its spectrum, 99 times of 100 at least", () => {
    expect(counted(100, (seed) => verdictOf(drawn(draw, seed)), "fresh")).toBeGreaterThanOrEqual(99);
  });

  it("says so in words, with the scheme that it is", () => {
    const [distribution, spectrum] = votesOf(drawn(draw, 7)).map(({ words }) => words);
    expect(distribution).toMatch(/^Its weights look drawn: the best fit is .* p = .*\.$/);
    expect(spectrum).toContain(name === "orthogonal" ? "all equal" : "Marchenko-Pastur");
    if (name.startsWith("PyTorch's default")) expect(distribution).toContain("which is PyTorch's default");
    if (name.includes("glorot")) expect(distribution).toContain("Glorot");
  });

  it("stays fresh when it is rounded to 8 bit, or loses weights at random or the smallest", () => {
    const random = uniform(4);
    for (const seed of [1, 2, 3]) {
      const elements = drawn(draw, seed);
      const step = elements.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127;
      expect(
        verdictOf(
          elements.map((w) => step * Math.round(w / step)),
          true,
        ),
      ).toBe("fresh");
      expect(verdictOf(elements.map((w) => (random() < 0.4 ? 0 : w)))).not.toBe("trained");
      const threshold = elements.map(Math.abs).sort()[Math.floor(0.6 * elements.length)]!;
      const [distribution] = votesOf(elements.map((w) => (Math.abs(w) < threshold ? 0 : w)));
      expect(distribution!.verdict).toBe("fresh");
      expect(distribution!.words).toContain("but for the 60 % of least magnitude, which are 0,");
    }
  });

  it("is not called trained under a mask of another criterion", () => {
    for (const seed of [1, 2, 3]) {
      const random = uniform(50 + seed);
      const elements = drawn(draw, seed);
      // As |w·∂L/∂w| ranks: by a gradient that depends on the output as well.
      const scores = elements.map((w, i) => Math.abs(w * normal(random)) * (1 + Math.floor(i / inputs) / 16));
      const threshold = scores.slice().sort()[Math.floor(0.8 * elements.length)]!;
      expect(verdictOf(elements.map((w, i) => (scores[i]! < threshold ? 0 : w)))).not.toBe("trained");
    }
  });
});

describe("what training leaves", () => {
  const fresh = (seed: number): Float32Array => drawn(draws["PyTorch kaiming_normal_"], seed);

  it.each([1, 2, 3])("a direction that grew shows in the spectrum (seed %i)", (seed) => {
    const random = uniform(77 + seed);
    const [u, v] = [outputs, inputs].map((count) => Array.from({ length: count }, () => normal(random))) as [
      number[],
      number[],
    ];
    // Three times the threshold of random matrix theory, 1/⁴√(nm) of the deviation.
    const grown = fresh(seed).map((w, i) => w + 0.1 * u[Math.floor(i / inputs)]! * v[i % inputs]!);
    const [, spectrum] = votesOf(grown);
    expect(spectrum!.verdict).not.toBe("fresh");
  });

  it.each([1, 2, 3])("heavy tails show in the distribution (seed %i)", (seed) => {
    const [distribution] = votesOf(fresh(seed).map((w) => w * Math.abs(w)));
    expect(distribution).toMatchObject({
      verdict: "trained",
      words: expect.stringContaining("have no form that is drawn") as string,
    });
  });

  it("a single weight far out shows", () => {
    const elements = fresh(1);
    elements[5] = 7 * Math.sqrt(2 / inputs);
    expect(votesOf(elements)[0]!.verdict).toBe("trained");
  });

  it("moves of a few per cent beyond the edge of a uniform form show, which no distance of distributions would", () => {
    const random = uniform(11);
    const [distribution] = votesOf(
      drawn(draws["PyTorch's default, uniform in ±1/√fan_in"], 1).map(
        (w) => w + (0.05 * normal(random)) / Math.sqrt(inputs),
      ),
    );
    expect(distribution!.verdict).not.toBe("fresh");
  });

  it("what was orthogonal and moved by a few per cent is neither orthogonal nor independent", () => {
    const random = uniform(13);
    const [, spectrum] = votesOf(drawn(draws.orthogonal, 1).map((w) => w + 0.005 * normal(random)));
    expect(spectrum).toMatchObject({
      verdict: "trained",
      words: expect.stringContaining("not as equal as an orthogonal") as string,
    });
  });

  it("a mean shows", () => {
    expect(verdictOf(fresh(1).map((w) => w + 0.05))).toBe("trained");
  });

  it("zeros of a mask do not hide it: weights of one sign, or more of the large than a mask can leave", () => {
    const random = uniform(12);
    const masked = (values: Float32Array): OriginVote => votesOf(values.map((w) => (random() < 0.3 ? 0 : w)))[0]!;
    expect(masked(fresh(1).map(Math.abs)).verdict).toBe("trained");
    expect(masked(fresh(1).map((w) => w * w * w)).verdict).toBe("trained");
  });
});

describe("biases", () => {
  const vote = (values: readonly number[]): OriginVote | null => biasVote(statisticsOf(values), fans)?.vote ?? null;
  const many = (count: number, one: (random: () => number) => number): number[] => {
    const random = uniform(5);
    return Array.from({ length: count }, () => one(random));
  };

  it.each<[string, readonly number[], Origin, string]>([
    ["0", many(64, () => 0), "fresh", "are 0"],
    ["1 for the forget gate of Keras, 0 for others", [...many(32, () => 1), ...many(96, () => 0)], "fresh", "0 or ±1"],
    ["PyTorch's default", many(64, (random) => centred(random) / Math.sqrt(inputs)), "fresh", "PyTorch's default"],
    ["σ_b of the edge of chaos", many(256, (random) => 0.3 * normal(random)), "fresh", "standard deviation 0.3"],
    ["few of it", many(64, (random) => 0.3 * normal(random)), "unclear", "may be drawn"],
    ["shifted", many(64, (random) => 1 + 0.1 * normal(random)), "trained", "neither 0 nor drawn"],
  ])("%s", (_, values, verdict, words) => {
    expect(vote(values)).toMatchObject({ verdict, words: expect.stringContaining(words) as string });
  });

  it("of layers with one standard deviation are drawn, of layers with several they cannot be told", () => {
    const random = uniform(6);
    const told = (deviations: readonly number[]): (Origin | undefined)[] => {
      const biases = deviations.map((one) => statisticsOf(many(64, () => one * normal(random))));
      return togetherVoted(
        biases.map((bias) => biasVote(bias, null)),
        biases,
      ).map((one) => one?.verdict);
    };
    expect(told([0.2, 0.2, 0.2, 0.2])).toEqual(["fresh", "fresh", "fresh", "fresh"]);
    expect(told([0.05, 0.2, 0.1, 0.2])).toEqual(["unclear", "unclear", "unclear", "unclear"]);
  });

  it("say nothing when they are a handful, or not finite", () => {
    expect(vote([0.1, 0.2, -0.1])).toBeNull();
    expect(vote([0.1, NaN])).toBeNull();
  });

  it("of PyTorch's recurrent layers are bounded by the size of the state", () => {
    const values = many(256, (random) => centred(random) / Math.sqrt(200));
    expect(biasVote(statisticsOf(values), { fanIn: 10, fanOut: 800, hidden: 200 })!.vote.words).toContain("hidden");
  });
});
