/** Weights as frameworks draw them are called fresh, almost always; weights that were trained are not. */
import { describe, expect, it } from "vitest";
import { knownSchemes } from "../../../server/src/meanfield/origin/distributions.js";
import { ksDistance, ksProbability } from "../../../server/src/meanfield/origin/kolmogorov-smirnov.js";
import { spectrumOf } from "../../../server/src/meanfield/origin/spectrum.js";
import { biasVote, distributionVote, spectrumVote } from "../../../server/src/meanfield/origin/votes.js";
import { weightStatistics } from "../../../server/src/meanfield/origin/weight-statistics.js";
import { normalCdf } from "../../../server/src/meanfield/normal.js";
import { arrayField } from "../../../server/src/formats/stored-elements.js";
import { orthogonal } from "../../../server/src/analysis/edits/draw.js";
import { uniform } from "../../support/arrays.js";

type Draw = (count: number, random: () => number) => Float32Array;

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const truncated = (random: () => number): number => {
  for (;;) {
    const z = normal(random);
    if (Math.abs(z) <= 2) return z;
  }
};
const fill =
  (one: (random: () => number) => number): Draw =>
  (count, random) =>
    Float32Array.from({ length: count }, () => one(random));

const [rows, columns] = [48, 64] as const;
/** As the frameworks document them, for a dense layer of 64 inputs and 48 outputs. */
const schemes: readonly (readonly [string, Draw])[] = [
  ["PyTorch: uniform in ±1/√fan_in", fill((random) => (2 * random() - 1) / Math.sqrt(columns))],
  ["PyTorch: kaiming_normal", fill((random) => Math.sqrt(2 / columns) * normal(random))],
  ["PyTorch: trunc_normal of 0.02", fill((random) => 0.02 * Math.max(-2, Math.min(2, truncated(random))))],
  ["Keras: glorot_uniform", fill((random) => (2 * random() - 1) * Math.sqrt(6 / (rows + columns)))],
  ["Keras: he_normal, truncated", fill((random) => (Math.sqrt(2 / columns) / 0.87962566) * truncated(random))],
  [
    "TensorFlow.js: glorotNormal, truncated",
    fill((random) => (Math.sqrt(2 / (rows + columns)) / 0.87962566) * truncated(random)),
  ],
  ["edge of chaos of tanh", fill((random) => (1.304146 / Math.sqrt(columns)) * normal(random))],
  ["orthogonal", (_count, random) => Float32Array.from(orthogonal(rows, columns, () => normal(random)))],
];

describe.each(schemes)("%s", (_name, draw) => {
  it("is called fresh by its distribution and its spectrum, 99 times of 100 at least", () => {
    let wrong = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const elements = draw(rows * columns, uniform(1000 * seed));
      const statistics = weightStatistics(arrayField(elements));
      const fans = { fanIn: columns, fanOut: rows };
      const distribution = distributionVote(statistics, fans);
      const spectrum = spectrumVote({ rows, columns, elements: Float64Array.from(elements) });
      if (distribution!.verdict !== "fresh" || spectrum!.verdict !== "fresh") wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(1);
  });
});

describe("what training leaves", () => {
  const fresh = (seed: number): Float32Array => schemes[1]![1](rows * columns, uniform(seed));

  it.each([1, 2, 3])("a direction that grew shows in the spectrum (seed %i)", (seed) => {
    const random = uniform(77 + seed);
    const [u, v] = [rows, columns].map((count) => Float64Array.from({ length: count }, () => normal(random))) as [
      Float64Array,
      Float64Array,
    ];
    const elements = Float64Array.from(
      fresh(seed),
      (w, i) => w + (0.2 * u[Math.floor(i / columns)]! * v[i % columns]!) / Math.sqrt(8),
    );
    expect(spectrumVote({ rows, columns, elements })!.verdict).not.toBe("fresh");
  });

  it.each([1, 2, 3])("heavy tails show in the distribution (seed %i)", (seed) => {
    const elements = fresh(seed).map((w) => w * Math.abs(w));
    expect(distributionVote(weightStatistics(arrayField(elements)), null)!.verdict).toBe("trained");
  });

  it("biases that are neither 0 nor drawn", () => {
    const bias = (values: readonly number[]): ReturnType<typeof weightStatistics> =>
      weightStatistics(arrayField(Float32Array.from(values)));
    expect(biasVote(bias(Array<number>(64).fill(0)), 64)!.verdict).toBe("fresh");
    const random = uniform(5);
    expect(biasVote(bias(Array.from({ length: 64 }, () => (2 * random() - 1) / 8)), 64)).toMatchObject({
      verdict: "fresh",
      words: expect.stringContaining("PyTorch") as string,
    });
    expect(biasVote(bias(Array.from({ length: 64 }, () => 0.3 * normal(random))), 64)!.verdict).toBe("fresh");
    expect(biasVote(bias(Array.from({ length: 64 }, () => 1 + 0.1 * normal(random))), 64)!.verdict).toBe("trained");
  });
});

describe("its pieces", () => {
  it("Kolmogorov's distribution: the tabled critical values", () => {
    // √n·D at which the probability is 10, 5 and 1 % for large n.
    const n = 1e6;
    for (const [lambda, probability] of [
      [1.2238, 0.1],
      [1.3581, 0.05],
      [1.6276, 0.01],
    ] as const)
      expect(ksProbability(lambda / Math.sqrt(n), n)).toBeCloseTo(probability, 3);
    expect(ksProbability(0, 100)).toBe(1);
    expect(ksProbability(1, 100)).toBeLessThan(1e-80);
  });

  it("the distance of a sample that is worked out by hand", () => {
    // Uniform on [0, 1] against 0.1, 0.2, 0.9: the largest step is at 0.2, where 2/3 stand against 0.2.
    expect(ksDistance(Float64Array.of(0.9, 0.1, 0.2), (x) => x)).toBeCloseTo(2 / 3 - 0.2, 12);
  });

  it("p-values of samples from the distribution itself are uniform", () => {
    const random = uniform(3);
    const probabilities = Array.from({ length: 200 }, () => {
      const sample = Float64Array.from({ length: 300 }, () => normal(random));
      return ksProbability(ksDistance(sample, normalCdf), 300);
    });
    // The mean of 200 uniform numbers has standard deviation 0.02.
    expect(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) / 200 - 0.5)).toBeLessThan(0.08);
  });

  it("a spectrum: of an outlier, of orthogonal rows, of nothing", () => {
    const random = uniform(9);
    const noise = Float64Array.from({ length: 32 * 32 }, () => normal(random));
    expect(Math.abs(spectrumOf({ rows: 32, columns: 32, elements: noise })!.excess)).toBeLessThan(4);
    const spiked = noise.map((x) => x + 1);
    expect(spectrumOf({ rows: 32, columns: 32, elements: spiked })!.excess).toBeGreaterThan(8);
    const rotation = orthogonal(20, 32, () => normal(random));
    expect(spectrumOf({ rows: 20, columns: 32, elements: rotation })!.cosine).toBeLessThan(1e-12);
    expect(
      spectrumOf({ rows: 32, columns: 20, elements: orthogonal(32, 20, () => normal(random)) })!.cosine,
    ).toBeLessThan(1e-12);
    expect(spectrumOf({ rows: 32, columns: 32, elements: new Float64Array(1024) })).toBeNull();
  });

  it("statistics of one pass, over blocks, with what is not finite left out", () => {
    const size = 70_000;
    const values = Float32Array.from({ length: size }, (_, i) => (i % 7 === 0 ? 0 : (i % 5) - 2));
    values[11] = NaN;
    values[69_999] = Infinity;
    const finite = Array.from(values).filter(Number.isFinite);
    const found = weightStatistics(arrayField(values));
    expect(found).toMatchObject({ size, nonFinite: 2, largest: 2, zeros: finite.filter((v) => v === 0).length });
    expect(found.mean).toBeCloseTo(finite.reduce((sum, v) => sum + v, 0) / finite.length, 12);
    expect(found.meanSquare).toBeCloseTo(finite.reduce((sum, v) => sum + v * v, 0) / finite.length, 12);
    expect(found.sample.every((v) => v !== 0 && Number.isFinite(v))).toBe(true);
  });

  it("schemes have the standard deviations that their documentation states", () => {
    const found = knownSchemes(600, 300);
    const deviation = (name: string, form: string): number =>
      found.find((one) => one.name.startsWith(name) && one.form === form)!.deviation;
    expect(deviation("PyTorch", "uniform") * Math.sqrt(3)).toBeCloseTo(1 / Math.sqrt(600), 12);
    expect(deviation("He, fan-in", "normal")).toBeCloseTo(Math.sqrt(2 / 600), 12);
    expect(deviation("Glorot", "uniform") * Math.sqrt(3)).toBeCloseTo(Math.sqrt(6 / 900), 12);
  });
});
