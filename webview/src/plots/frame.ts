/**
 * What all plots share: their options, and the one place where Observable Plot draws. Plot puts a style element into
 * every figure, which a strict CSP refuses; it is taken out here and its rules are in media/view.css.
 */
import * as Plot from "@observablehq/plot";

export interface PlotOptions {
  /** Document that the SVG is made in. */
  readonly document: Document;
  /** Outer size in pixels. */
  readonly width: number;
  readonly height: number;
}

/** A drawn figure, and its scales for changes in place. */
export interface Figure {
  readonly svg: SVGSVGElement;
  /** Pixel of a value on an axis. */
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Class of every figure that Plot draws; the static style sheet has Plot's rules under this name. */
const figureClass = "plot";

/** Draws with Observable Plot and removes what a strict CSP would refuse. */
export function drawFigure(options: PlotOptions, plot: Plot.PlotOptions): Figure {
  const { document, width, height } = options;
  const drawn = Plot.plot({ document, width, height, className: figureClass, ...plot });
  for (const style of drawn.querySelectorAll("style")) style.remove();
  const scale = (name: "x" | "y"): ((value: number) => number) => {
    const found = drawn.scale(name);
    return (value) => Number(found?.apply(value));
  };
  // The figure has a name and a table beside it; its parts would only be noise to a screen reader.
  drawn.setAttribute("aria-hidden", "true");
  return { svg: drawn as unknown as SVGSVGElement, x: scale("x"), y: scale("y") };
}

const svgNamespace = "http://www.w3.org/2000/svg";

/** Makes an SVG element with attributes. */
export function svgElement<K extends keyof SVGElementTagNameMap>(
  document: Document,
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/** Pixels with two decimals, so that snapshots and attribute comparisons are stable. */
export function pixels(value: number): string {
  return String(Math.round(value * 100) / 100);
}
