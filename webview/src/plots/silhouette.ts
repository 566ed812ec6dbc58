/**
 * Bars that are too narrow to be told apart, drawn as a few paths: one for each standing, with the bars and the ticks
 * under them. Moving thousands of bars is then a handful of attributes, where as many rectangles would each cost style,
 * layout and paint.
 */
import { svgElement } from "./frame.js";
import { standings, tickPath, type Standing } from "./risk-glyph.js";

export interface Silhouette {
  readonly element: SVGGElement;
  /** Draws bars of `height` pixels, upwards from the floor. */
  draw(height: ArrayLike<number>, standing: readonly Standing[]): void;
}

/** @param left where each bar begins; @param width of a bar; @param floor where density is 0; @param ticks where ticks hang. */
export function createSilhouette(
  document: Document,
  left: readonly string[],
  width: string,
  floor: number,
  ticks: number,
): Silhouette {
  const element = svgElement(document, "g", { class: "plot-silhouette" });
  const paths = new Map(
    standings.map((standing) => {
      const path = svgElement(document, "path", { class: `standing-${standing}` });
      element.append(path);
      return [standing, { path, tick: tickPath(standing, width), parts: [] as string[] }] as const;
    }),
  );
  return {
    element,
    draw(height, standing) {
      for (let l = 0; l < left.length; l++) {
        const { parts, tick } = paths.get(standing[l]!)!;
        // Half pixels: no eye sees less, and the paths stay short.
        const h = Math.ceil(height[l]! * 2) / 2;
        if (h > 0) parts.push(`M${left[l]!},${floor}v-${h}h${width}v${h}z`);
        if (tick !== "") parts.push(`M${left[l]!},${ticks}${tick}`);
      }
      for (const { path, parts } of paths.values()) {
        path.setAttribute("d", parts.join(""));
        parts.length = 0;
      }
    },
  };
}
