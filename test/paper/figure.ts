/** What a figure of the paper is, and how it is drawn: SVG by Observable Plot in a document of jsdom's, data as JSON. */
import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";

export interface PaperFigure {
  /** File name without its end. */
  readonly name: string;
  readonly svg: string;
  readonly data: unknown;
  /** What it shows, and what differs from the paper. */
  readonly words: string;
}

const { document } = new JSDOM("").window;

/** One panel as SVG text, on white. */
export function drawn(options: Plot.PlotOptions): string {
  const figure = Plot.plot({
    document,
    style: { background: "white", color: "black", fontFamily: "sans-serif" },
    ...options,
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return figure.outerHTML;
}

/** A line above a panel. */
export const caption = (text: string): Plot.Markish =>
  Plot.text([text], { frameAnchor: "top", dy: -16, fontSize: 12, fontWeight: "bold" });

/** Panels of equal width beside each other. */
export function sideBySide(panels: readonly string[], width: number, height: number): string {
  const placed = panels.map((svg, i) => `<g transform="translate(${i * width} 0)">${svg}</g>`);
  const size = `width="${panels.length * width}" height="${height}" viewBox="0 0 ${panels.length * width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${placed.join("")}</svg>\n`;
}

/**
 * A heat map as one path for each of 32 shades: a hundred times smaller than an element for each cell.
 * @param rows row by row from the bottom, values in [0, 1].
 */
export function heatMap(rows: readonly (readonly number[])[]): Plot.Markish {
  return (_index, { x, y }) => {
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    const shades = 32;
    const paths = Array.from({ length: shades + 1 }, () => "");
    const place = (scale: typeof x, value: number): number => Number(scale!(value));
    const round = (value: number): string => String(Math.round(100 * value) / 100);
    const [across, up] = [round(place(x, 1) - place(x, 0)), round(place(y, 1) - place(y, 0))];
    rows.forEach((row, r) => {
      row.forEach((value, c) => {
        paths[Math.round(shades * Math.min(1, Math.max(0, value)))]! +=
          `M${round(place(x, c))} ${round(place(y, r))}h${across}v${up}h-${across}z`;
      });
    });
    paths.forEach((d, shade) => {
      // Nothing kept is the white of the page.
      if (d === "" || shade === 0) return;
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      path.setAttribute("fill", shadeColour(shade / shades));
      path.setAttribute("shape-rendering", "crispEdges");
      group.append(path);
    });
    return group;
  };
}

/** From white (nothing kept) to dark blue (everything kept). */
export function shadeColour(share: number): string {
  const mix = (from: number, to: number): number => Math.round(from + (to - from) * share);
  return `rgb(${mix(255, 8)},${mix(255, 48)},${mix(255, 107)})`;
}
