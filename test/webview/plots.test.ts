import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { criticalRug } from "../../webview/src/plots/critical-rug.js";
import {
  densityPlot,
  layerAt,
  layerMiddle,
  markLayer,
  updateDensityPlot,
  type DensityData,
} from "../../webview/src/plots/density.js";
import type { Standing } from "../../webview/src/plots/risk-glyph.js";
import { scoreDistribution, updateScoreDistribution } from "../../webview/src/plots/score-distribution.js";
import { binEdge } from "../../webview/src/state/histogram.js";

const { document } = new JSDOM("").window;
const size = { document, width: 640, height: 190 };
const hostile = `</script><img src=x onerror="alert(1)">`;

function densityData(densities: readonly number[], standing: readonly Standing[] = []): DensityData {
  return {
    ids: densities.map((_, l) => (l === 0 ? hostile : `layer ${l}`)),
    density: densities,
    standing: densities.map((_, l) => standing[l] ?? "none"),
    overall: 0.25,
  };
}

function bars(svg: SVGSVGElement): SVGRectElement[] {
  return [...svg.querySelectorAll<SVGRectElement>("rect[data-layer-id]")];
}

/** Height in pixels of density 1: from the lines of the grid at 0 and 1. */
function unit(svg: SVGSVGElement): { floor: number; height: number } {
  const lines = [...svg.querySelectorAll(".plot-grid line")].map((line) => Number(line.getAttribute("y1")));
  return { floor: Math.max(...lines), height: Math.max(...lines) - Math.min(...lines) };
}

function expectHeights(svg: SVGSVGElement, densities: ArrayLike<number>): void {
  const { floor, height } = unit(svg);
  for (const [l, bar] of bars(svg).entries()) {
    expect(Number(bar.getAttribute("height"))).toBeCloseTo(densities[l]! * height, 1);
    expect(Number(bar.getAttribute("y")) + Number(bar.getAttribute("height"))).toBeCloseTo(floor, 1);
    expect(Number(bar.dataset["density"])).toBe(densities[l]);
  }
}

describe("density plot", () => {
  it.each([1, 2, 60, 500, 3000])("has one bar for each of %i layers, as high as its density", (count) => {
    const densities = Array.from({ length: count }, (_, l) => ((l * 7919) % 1000) / 1000);
    const svg = densityPlot(densityData(densities), size);
    expect(bars(svg).map((bar) => bar.dataset["layerId"])).toEqual(densityData(densities).ids);
    expectHeights(svg, densities);
  });

  it("changes in place: the same elements, new heights", () => {
    const data = densityData([0.5, 1, 0]);
    const svg = densityPlot(data, size);
    const before = [...svg.querySelectorAll("*")];
    const next = [0, 0.125, 1];
    updateDensityPlot(svg, { ...data, density: next, overall: 0.5 });
    expect([...svg.querySelectorAll("*")]).toEqual(before);
    expectHeights(svg, next);
    const line = Number(svg.querySelector(".plot-overall")?.getAttribute("y1"));
    expect(line).toBeCloseTo(unit(svg).floor - 0.5 * unit(svg).height, 1);
  });

  it("is off by half a pixel at most while it moves, and exact when it rests", () => {
    const data = densityData([0.2, 0.4]);
    const svg = densityPlot(data, size);
    const next = [0.30007, 0.10003];
    updateDensityPlot(svg, { ...data, density: next, moving: true });
    for (const [l, bar] of bars(svg).entries()) {
      expect(Math.abs(Number(bar.getAttribute("height")) - next[l]! * unit(svg).height)).toBeLessThanOrEqual(0.5);
      expect(Number(bar.dataset["density"])).toBe(data.density[l]);
    }
    updateDensityPlot(svg, { ...data, density: next });
    expectHeights(svg, next);
  });

  it("marks every risk by a shape, not only by colour", () => {
    const standing: Standing[] = [
      "none",
      "low",
      "high",
      "collapsed",
      "no-signal",
      "excluded",
      "no-score",
      "non-finite",
    ];
    const svg = densityPlot(
      densityData(
        standing.map(() => 0.5),
        standing,
      ),
      size,
    );
    const marks = [...svg.querySelectorAll(".plot-glyphs path")].map((mark) => mark.getAttribute("d"));
    expect(marks[0]).toBe("");
    expect(marks.slice(1).every((mark) => mark !== "")).toBe(true);
    // Low and high differ by being filled, which the style sheet does by class.
    expect(bars(svg).map((bar) => bar.getAttribute("class"))).toEqual(standing.map((each) => `standing-${each}`));
    const crowded = densityPlot(densityData(Array<number>(400).fill(0.5), standing), size);
    // Bars that are too narrow for marks have ticks of different lengths, in one path for each standing.
    const floor = unit(crowded).floor;
    const ticks = ["low", "high", "collapsed"].map((each) => {
      const path = crowded.querySelector(`.plot-silhouette .standing-${each}`)?.getAttribute("d") ?? "";
      return new RegExp(`M[\\d.]+,${floor + 5}h[\\d.]+v(\\d+)`).exec(path)?.[1];
    });
    expect(ticks).toEqual(["3", "6", "9"]);
  });

  it("moves thousands of bars as one path for each standing, and each by itself when they rest", () => {
    const count = 2000;
    const data = densityData(Array<number>(count).fill(0.5));
    const svg = densityPlot(data, size);
    const path = svg.querySelector(".plot-silhouette .standing-none");
    expect(path?.getAttribute("d")?.match(/M/g)).toHaveLength(count);
    const next = Array.from({ length: count }, (_, l) => l / count);
    const before = bars(svg)[1999]?.getAttribute("height");
    updateDensityPlot(svg, { ...data, density: next, moving: true });
    expect(path?.getAttribute("d")).toContain(`v-${Math.ceil((1999 / count) * unit(svg).height * 2) / 2}h`);
    expect(bars(svg)[1999]?.getAttribute("height")).toBe(before);
    updateDensityPlot(svg, { ...data, density: next });
    expectHeights(svg, next);
  });

  it("finds the layer under a position and back", () => {
    const svg = densityPlot(densityData([0.1, 0.2, 0.3]), size);
    for (const l of [0, 1, 2]) expect(layerAt(svg, layerMiddle(svg, l))).toBe(l);
    expect(layerAt(svg, 0)).toBeNull();
    expect(layerAt(svg, size.width)).toBeNull();
  });

  it("shows the selection's band under one layer or not at all", () => {
    const svg = densityPlot(densityData([0.1, 0.2]), size);
    const band = svg.querySelector(".plot-marked");
    expect(band?.getAttribute("visibility")).toBe("hidden");
    markLayer(svg, 1);
    expect(band?.getAttribute("visibility")).toBe("visible");
    const middle = Number(band?.getAttribute("x")) + Number(band?.getAttribute("width")) / 2;
    expect(middle).toBeCloseTo(layerMiddle(svg, 1), 1);
    markLayer(svg, null);
    expect(band?.getAttribute("visibility")).toBe("hidden");
  });

  it("has what a strict policy allows: no style element, no style attribute, no markup from names", () => {
    const svg = densityPlot(densityData([0.1, 0.2]), size);
    expect(svg.querySelectorAll("style, [style], img, script")).toHaveLength(0);
    expect(bars(svg)[0]?.dataset["layerId"]).toBe(hostile);
  });

  it("looks as it did", () => {
    const svg = densityPlot(densityData([1, 0.25, 0], ["none", "low", "collapsed"]), { ...size, width: 300 });
    expect(svg.outerHTML.replaceAll("><", ">\n<")).toMatchSnapshot();
  });
});

describe("score distribution", () => {
  const histogram = { first: -12, perOctave: 2, counts: [1, 0, 4, 9, 16, 9, 4, 1] };
  const data = { histogram, threshold: null };

  it("has a bar for each bin, as high as its count", () => {
    const svg = scoreDistribution(data, size);
    for (const part of [".plot-removed", ".plot-kept"]) {
      const heights = [...svg.querySelectorAll(`${part} rect`)].map((bar) => Number(bar.getAttribute("height")));
      expect(heights).toHaveLength(histogram.counts.length);
      const most = Math.max(...heights);
      for (const [i, height] of heights.entries()) expect(height / most).toBeCloseTo(histogram.counts[i]! / 16, 6);
    }
    expect(svg.querySelectorAll("style, [style]")).toHaveLength(0);
  });

  it("puts the threshold where its score lies and keeps what is right of it", () => {
    const svg = scoreDistribution({ histogram, threshold: binEdge(histogram, 4) }, size);
    const left = Number(svg.querySelectorAll(".plot-kept rect")[4]?.getAttribute("x"));
    const line = svg.querySelector(".plot-threshold");
    const clip = svg.querySelector("clipPath rect");
    expect(Number(line?.getAttribute("x1"))).toBeCloseTo(left, 1);
    expect(Number(clip?.getAttribute("x"))).toBeCloseTo(left, 1);
    const before = [...svg.querySelectorAll("*")];
    updateScoreDistribution(svg, binEdge(histogram, 2));
    expect([...svg.querySelectorAll("*")]).toEqual(before);
    expect(Number(line?.getAttribute("x1"))).toBeLessThan(left);
  });

  it.each([
    [null, "hidden", "all is kept"],
    [Infinity, "visible", "nothing is kept"],
    [1e-300, "visible", "all is kept"],
    [1e300, "visible", "nothing is kept"],
  ])("stays inside the plot for the threshold %s", (threshold, visibility, kept) => {
    const svg = scoreDistribution({ histogram, threshold }, size);
    expect(svg.querySelector(".plot-threshold")?.getAttribute("visibility")).toBe(visibility);
    const clip = svg.querySelector("clipPath rect");
    const width = Number(clip?.getAttribute("width"));
    if (kept === "nothing is kept") expect(width).toBe(0);
    else expect(width).toBeGreaterThan(500);
  });

  it("names its axis in numbers that the table uses too", () => {
    const wide = scoreDistribution(
      { histogram: { first: -60, perOctave: 3, counts: Array<number>(60).fill(2) }, threshold: null },
      size,
    );
    const texts = [...wide.querySelectorAll("text")].map((text) => text.textContent);
    expect(texts).toContain("0.01");
    expect(texts).toContain("1e−4");
  });

  it("draws scores of every magnitude that a double has", () => {
    for (const first of [-1074, 1020]) {
      const svg = scoreDistribution(
        { histogram: { first, perOctave: 1, counts: [1, 2] }, threshold: 2 ** (first + 1) },
        size,
      );
      expect(svg.outerHTML).not.toMatch(/NaN|Infinity/);
    }
  });
});

describe("rug of critical sparsities", () => {
  const options = { ...size, width: 114, height: 8, most: 0.999, inset: 7 };

  it("has a tick for each layer that can be ranked, the first one long", () => {
    const svg = criticalRug([0.5, null, 0.999, 0.25, 1], options);
    // 0.999 and 1 both lie at the end of the slider.
    expect(svg.querySelector(".rug-ticks")?.getAttribute("d")).toBe("M32,0V4M57,0V4M107,0V4");
    expect(svg.querySelector(".rug-first")?.getAttribute("d")).toBe("M32,0V8");
  });

  it("is empty when nothing can be ranked", () => {
    const svg = criticalRug([null, null], options);
    expect(svg.querySelector(".rug-first")).toBeNull();
    expect(svg.querySelector(".rug-ticks")?.getAttribute("d")).toBe("");
  });
});
