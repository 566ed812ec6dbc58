import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import { depthAt, depthLines, depthMiddle, markDepth } from "../../webview/src/plots/depth-lines.js";
import {
  beyondPlane,
  edgePlane,
  layerNear,
  markPlane,
  spotOf,
  type EdgePlaneData,
} from "../../webview/src/plots/edge-plane.js";
import { fakeTheory } from "./fake-insights.js";
import { fakeModel } from "./fake-model.js";

const { document } = new JSDOM("").window;
const size = { document, width: 400, height: 300 };
const lines = (html: string): string => html.replaceAll("><", ">\n<");

/** The plane of tanh with the first layers of a fake model. */
function planeData(layers: number): EdgePlaneData {
  const theory = fakeTheory(fakeModel({ layers }));
  return { parts: theory.edges[0]!.parts, layers: theory.layers.map((layer, index) => ({ index, theory: layer })) };
}

describe("the plane of the edge of chaos", () => {
  it("has a mark for every layer whose deviations are known, where they say", () => {
    const data = planeData(12);
    const svg = edgePlane(data, size);
    const [a, b] = [spotOf(svg, 0)!, spotOf(svg, 11)!];
    // Layer 11 has the larger σ_w: higher up.
    expect(b.y).toBeLessThan(a.y);
    expect(spotOf(svg, 5)).toBeNull();
    expect(layerNear(svg, a.x + 2, a.y - 2)).toBe(0);
    expect(layerNear(svg, -100, -100)).toBeNull();
  });

  it("keeps layers that lie far beyond the others at its border", () => {
    const data = planeData(12);
    const [first, ...rest] = data.layers;
    const far = { ...data, layers: [{ ...first!, theory: { ...first!.theory, sigmaW: 500, sigmaB: 90 } }, ...rest] };
    expect([beyondPlane(data), beyondPlane(far)]).toEqual([0, 1]);
    const svg = edgePlane(far, size);
    expect(spotOf(svg, 0)!.x).toBeLessThanOrEqual(size.width);
    expect(spotOf(svg, 0)!.y).toBeGreaterThanOrEqual(0);
  });

  it("rings the layer that is pointed at, and draws a single point and no curve as well", () => {
    const svg = edgePlane(planeData(3), size);
    const ring = svg.querySelector(".plane-marked");
    expect(ring?.getAttribute("visibility")).toBe("hidden");
    markPlane(svg, 1);
    expect(ring?.getAttribute("visibility")).toBe("visible");
    markPlane(svg, null);
    expect(ring?.getAttribute("visibility")).toBe("hidden");
    const relu = edgePlane(
      { parts: [{ kind: "marginal", points: [{ sigmaB: 0, sigmaW: Math.SQRT2, q: null }] }], layers: [] },
      size,
    );
    expect(relu.querySelectorAll(".plane-edge-point")).toHaveLength(1);
    expect(edgePlane({ parts: [], layers: [] }, size).outerHTML).not.toMatch(/NaN|Infinity/);
  });

  it("looks as it did", () => {
    const svg = edgePlane(planeData(6), size);
    expect(svg.querySelectorAll("style, [style]")).toHaveLength(0);
    expect(lines(svg.outerHTML)).toMatchSnapshot();
  });
});

describe("lines over depth", () => {
  it("leave out what a logarithm cannot show, and what is not known", () => {
    const svg = depthLines(
      { logarithmic: true, series: [{ look: "measured", values: [1, 0, 10, null, 100, Infinity] }] },
      size,
    );
    expect(svg.querySelector(".lines-measured")?.getAttribute("d")?.match(/[ML]/g)).toEqual(["M", "M", "M"]);
    expect(svg.outerHTML).not.toMatch(/NaN|Infinity/);
  });

  it.each([1, 2, 60, 500])("find the layer under a position and back, of %i", (count) => {
    const svg = depthLines(
      { logarithmic: false, series: [{ look: "measured", values: Array.from({ length: count }, (_, l) => l) }] },
      size,
    );
    for (const l of [0, count - 1]) expect(depthAt(svg, depthMiddle(svg, l))).toBe(l);
    expect(depthAt(svg, 0)).toBeNull();
    markDepth(svg, count - 1);
    expect(svg.querySelector(".plot-marked")?.getAttribute("visibility")).toBe("visible");
    markDepth(svg, -1);
    expect(svg.querySelector(".plot-marked")?.getAttribute("visibility")).toBe("hidden");
  });

  it.each([true, false])(
    "draw nothing, one value and equal values without a fault (logarithmic: %s)",
    (logarithmic) => {
      for (const values of [[], [null], [3], [2, 2, 2], [1e-300, 1e300]]) {
        const svg = depthLines({ logarithmic, series: [{ look: "measured", values }] }, size);
        expect(svg.outerHTML).not.toMatch(/NaN|Infinity/);
      }
    },
  );

  it("look as they did", () => {
    const svg = depthLines(
      {
        logarithmic: true,
        neutral: 1,
        series: [
          { look: "measured", values: [0.5, 1, 2, 4] },
          { look: "predicted", values: [0.6, 1.1, null, 3] },
        ],
      },
      size,
    );
    expect(svg.querySelectorAll("style, [style]")).toHaveLength(0);
    expect(lines(svg.outerHTML)).toMatchSnapshot();
  });
});
