import { describe, expect, it } from "vitest";
import type { Risk } from "../../server/protocol/report.js";
import { addHistograms, binEdge, estimateThreshold, trimLow } from "../../webview/src/state/histogram.js";
import { countRisks, headline } from "../../webview/src/state/headline.js";
import { LiveCounts } from "../../webview/src/state/live-counts.js";
import { estimateRisk } from "../../webview/src/state/risk-estimate.js";
import { surveyOf } from "../../webview/src/state/survey.js";
import { riskOf } from "../../server/src/pruning/risk.js";
import { fakeModel, type FakeOptions } from "./fake-model.js";

/** The sentence about a model at a sparsity, exact, with names in back quotes. */
function sentence(options: FakeOptions, sparsity: number): string {
  const fake = fakeModel(options);
  const survey = surveyOf(fake.model, fake.result);
  const counts = new LiveCounts(survey, survey.analysis!);
  if (survey.analysis!.blocking.length === 0) counts.settle(fake.exact(sparsity, fake.recipe.scope));
  const risks = countRisks(counts, { low: 0, high: 0, collapsed: 0, noSignal: 0 });
  return headline(survey, survey.analysis!, counts, risks)
    .map(({ text, name }) => (name ? `\`${text}\`` : text))
    .join("")
    .replaceAll("\u00a0", " ");
}

describe("headline", () => {
  const name = (l: number): string => `conv${l + 1}`;

  it("says how many layers are at risk, which goes first, and when", () => {
    const alike = { layers: 4, name, recipe: { scope: "layer" } } as const;
    expect(sentence(alike, 0.5)).toMatch(/^At 50 % sparsity no layer is at risk; `conv\d` goes first, at 99\.\d+ %\.$/);
    expect(sentence({ layers: 4, name }, 0.1)).toBe(
      "At 10 % sparsity 2 of 4 layers are at risk; `conv4` goes first, at 51.2 %.",
    );
    expect(sentence({ layers: 4, name }, 0.6)).toBe(
      "At 60 % sparsity 1 of 4 layers is gone and 1 more is at risk; `conv4` went first, at 51.2 %.",
    );
  });

  it("fits models of one layer, of silent layers, and of none that may be pruned", () => {
    expect(sentence({ layers: 1, name }, 0.5)).toBe("At 50 % sparsity the only layer is not at risk.");
    expect(sentence({ layers: 4, name, silent: [1] }, 0.1)).toMatch(/ 1 layer carries no signal\.$/);
    const all = Array.from({ length: 4 }, (_, l) => `${l}/conv${l + 1}`);
    expect(sentence({ layers: 4, name, recipe: { exclude: all } }, 0.5)).toBe(
      "Every layer is excluded, so nothing is pruned.",
    );
  });

  it("says how many layers have no score, and counts none of them as a risk", () => {
    expect(sentence({ layers: 4, name, unscored: [3] }, 0.1)).toMatch(/\. 1 layer has no score and stays dense\.$/);
    expect(sentence({ layers: 4, name, unscored: [1, 3] }, 0.9)).toMatch(/2 layers have no score and stay dense\.$/);
    expect(sentence({ layers: 2, name, unscored: [0, 1] }, 0.9)).toBe("No layer has a score, so nothing is pruned.");
    const fake = fakeModel({ layers: 4, unscored: [0, 3] });
    const survey = surveyOf(fake.model, fake.result);
    const counts = new LiveCounts(survey, survey.analysis!);
    counts.interpolate(0.999, "global");
    const risks = countRisks(counts, { low: 0, high: 0, collapsed: 0, noSignal: 0 });
    expect(risks.low + risks.high + risks.collapsed + risks.noSignal).toBeLessThanOrEqual(2);
    for (const l of [0, 3]) expect(counts.kept[l]).toBe(fake.model.layers[l]!.parameters);
  });

  it("names the layers whose scores are no numbers", () => {
    expect(sentence({ layers: 4, name, nonFinite: [2] }, 0.5)).toBe(
      "`conv3` holds 1 score that is not a finite number. Such weights cannot be ranked: exclude it to prune the rest.",
    );
    expect(sentence({ layers: 6, name, nonFinite: [0, 1, 2, 3] }, 0.5)).toContain(", and so do 2 other layers.");
  });

  it("keeps names apart from words and shortens them", () => {
    const text = sentence({ layers: 2, name: () => `<b>${"x".repeat(200)}</b>` }, 0.5);
    expect(text).toMatch(/`<b>x+…x+<\/b>`/);
    expect(text.length).toBeLessThan(160);
  });
});

describe("risk between exact answers", () => {
  it("follows the engine's rule", () => {
    const random = (n: number): number => ((n * 2654435761) >>> 0) / 2 ** 32;
    for (let i = 0; i < 2000; i++) {
      const sparsity = random(i);
      const criticalSparsity = i % 17 === 0 ? null : random(i + 5000);
      const deadOutputs = i % 5 === 0 ? random(i + 9000) : null;
      const kept = i % 11 === 0 ? 0 : 10;
      const excluded = i % 13 === 0;
      const exact = riskOf({ size: 100, kept, excluded, noSignal: false, criticalSparsity, deadOutputs }, sparsity);
      const settled = { sparsity, risk: "none" as Risk, deadOutputs: deadOutputs ?? NaN };
      expect(estimateRisk(kept, criticalSparsity, sparsity, excluded, settled)).toBe(exact);
    }
  });

  it("does not blame dead outputs at a lower sparsity than they were counted at", () => {
    const settled = { sparsity: 0.9, risk: "high" as Risk, deadOutputs: 0.5 };
    expect(estimateRisk(10, 0.999, 0.91, false, settled)).toBe("high");
    expect(estimateRisk(10, 0.999, 0.5, false, settled)).toBe("none");
  });
});

describe("histograms", () => {
  it("add up on the coarsest bins and lose nothing", () => {
    const sum = addHistograms([
      { first: -8, perOctave: 4, counts: [1, 2, 3, 4] },
      { first: -3, perOctave: 2, counts: [10, 20] },
      { first: 0, perOctave: 8, counts: [] },
    ]);
    expect(sum).toEqual({ first: -4, perOctave: 2, counts: Float64Array.of(3, 17, 20) });
    expect(addHistograms([{ first: 0, perOctave: 8, counts: [] }])).toBeNull();
  });

  it("find the threshold to within a bin", () => {
    const scores = Array.from({ length: 4000 }, (_, i) => 2 ** (-10 + (10 * ((i * 7919) % 4000)) / 4000));
    const counts = new Float64Array(80);
    for (const score of scores) counts[Math.floor(Math.log2(score) * 8) + 80]!++;
    const histogram = { first: -80, perOctave: 8, counts };
    const sorted = [...scores].sort((a, b) => b - a);
    for (const kept of [1, 17, 400, 2000, 3999]) {
      expect(Math.abs(Math.log2(estimateThreshold(histogram, kept)! / sorted[kept - 1]!))).toBeLessThan(1 / 8);
    }
    expect(estimateThreshold(histogram, 4000)).toBeNull();
    expect(estimateThreshold(histogram, 0)).toBe(Infinity);
    expect(binEdge(histogram, 80)).toBe(1);
  });

  it("lose their thin lower tail and say how many scores that was", () => {
    const { histogram, cut } = trimLow({ first: 5, perOctave: 8, counts: [1, 0, 2, 500, 1000, 1] }, 0.002);
    expect(cut).toBe(3);
    expect(histogram).toEqual({ first: 8, perOctave: 8, counts: [500, 1000, 1] });
    expect(trimLow({ first: 5, perOctave: 8, counts: [7] }, 1).histogram.counts).toEqual([7]);
  });
});
