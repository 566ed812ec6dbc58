/**
 * A rug under the slider: one tick for every layer, at the sparsity at which its last weight goes. Where ticks are
 * dense the model falls apart; the first one is drawn long.
 */
import { pixels, svgElement, type PlotOptions } from "./frame.js";

export interface RugOptions extends PlotOptions {
  /** Largest sparsity of the slider. */
  readonly most: number;
  /** Free space at both ends, half the slider's thumb. */
  readonly inset: number;
}

/** Draws the ticks of all layers that can be ranked. */
export function criticalRug(criticals: readonly (number | null)[], options: RugOptions): SVGSVGElement {
  const { document, width, height, most, inset } = options;
  const svg = svgElement(document, "svg", {
    class: "rug",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "aria-hidden": "true",
  });
  const ranked = criticals.filter((critical): critical is number => critical !== null).sort((a, b) => a - b);
  const x = (critical: number): string =>
    pixels(Math.round(2 * (inset + (Math.min(critical, most) / most) * Math.max(0, width - 2 * inset))) / 2);
  // Many layers share a pixel: drawn once, they cost nothing.
  const places = [...new Set(ranked.map(x))];
  const ticks = svgElement(document, "path", {
    class: "rug-ticks",
    d: places.map((at) => `M${at},0V${pixels(height * 0.5)}`).join(""),
  });
  svg.append(ticks);
  if (ranked.length > 0) {
    svg.append(svgElement(document, "path", { class: "rug-first", d: `M${x(ranked[0]!)},0V${height}` }));
  }
  return svg;
}
