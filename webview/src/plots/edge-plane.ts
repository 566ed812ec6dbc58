/**
 * The (σ_b, σ_w) plane of one activation: its edge of chaos (stable parts solid, unstable ones dashed) between the
 * ordered phase below and the chaotic one above, every layer as a mark where it stands, by a shape for its phase, and an
 * arrow to what is suggested for it.
 */
import * as Plot from "@observablehq/plot";
import type { EdgeView, LayerTheory } from "../../../server/protocol/insights.js";
import { drawFigure, pixels, svgElement, type Figure, type PlotOptions } from "./frame.js";

export interface EdgePlaneData {
  readonly parts: EdgeView["parts"];
  /** Layers to draw, each with its place in the model's order. */
  readonly layers: readonly { readonly index: number; readonly theory: LayerTheory }[];
}

/** Phase of a mark; `none` where the theory says nothing of the layer. */
export type PhaseMark = "ordered" | "edge" | "chaotic" | "none";

interface Spot {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly arrow: string;
}

interface Drawn extends Figure {
  readonly spots: readonly Spot[];
  readonly marked: SVGGElement;
}

const drawings = new WeakMap<SVGSVGElement, Drawn>();
const margin = { left: 44, right: 16, top: 12, bottom: 40 };
/** Farthest that a pointer may be from a mark that it means, in pixels. */
const reach = 28;
/** Half the size of a mark. */
const radius = 4;

/** Path of the mark of a phase, `2r` wide: a triangle that points down below the edge and up above it. */
export function phasePath(phase: PhaseMark, r = radius, x = 0, y = 0): string {
  const at = (dx: number, dy: number): string => `${pixels(x + dx * r)},${pixels(y + dy * r)}`;
  switch (phase) {
    case "ordered":
      return `M${at(-1, -1)}L${at(1, -1)}L${at(0, 1)}Z`;
    case "chaotic":
      return `M${at(-1, 1)}L${at(1, 1)}L${at(0, -1)}Z`;
    case "edge":
      return `M${at(-1, 0)}A${r},${r} 0 1 1 ${at(1, 0)}A${r},${r} 0 1 1 ${at(-1, 0)}Z`;
    case "none":
      return `M${at(-1, -1)}L${at(1, 1)}M${at(-1, 1)}L${at(1, -1)}`;
  }
}

/** Largest σ_b and σ_w of the plane: every layer and suggestion is inside but for those far beyond the others. */
export function planeExtent({ parts, layers }: EdgePlaneData): { readonly sigmaB: number; readonly sigmaW: number } {
  const far = (values: readonly number[], least: number): number => {
    const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
    const typical = sorted[Math.floor(sorted.length * 0.9)] ?? 0;
    return 1.15 * Math.max(least, Math.min(sorted.at(-1) ?? 0, 2 * typical));
  };
  const of = (name: "sigmaB" | "sigmaW"): number[] =>
    layers.flatMap(({ theory }) => [theory[name] ?? NaN, theory.suggestion?.[name] ?? NaN]);
  const sigmaB = far(of("sigmaB"), 0.5);
  const edge = parts.flatMap(({ points }) => points.filter((point) => point.sigmaB <= sigmaB)).map((p) => p.sigmaW);
  return { sigmaB, sigmaW: Math.max(far(of("sigmaW"), 2), 1.15 * Math.min(6, Math.max(0, ...edge))) };
}

/** Layers that lie beyond the axes and are drawn at the border. */
export function beyondPlane(data: EdgePlaneData): number {
  const most = planeExtent(data);
  return data.layers.filter(
    ({ theory: { sigmaB, sigmaW } }) => (sigmaB ?? 0) > most.sigmaB || (sigmaW ?? 0) > most.sigmaW,
  ).length;
}

/** Draws the plane. */
export function edgePlane(data: EdgePlaneData, options: PlotOptions): SVGSVGElement {
  const { document } = options;
  const most = planeExtent(data);
  const figure = drawFigure(options, {
    marginLeft: margin.left,
    marginRight: margin.right,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    x: { domain: [0, most.sigmaB], label: null },
    y: { domain: [0, most.sigmaW], label: null },
    marks: [
      Plot.gridY({ ticks: 5, className: "plot-grid" }),
      Plot.axisY({ ticks: 5, tickSize: 0, label: "↑ σ_w", labelAnchor: "top", labelOffset: 40 }),
      Plot.axisX({ ticks: 5, tickSize: 4, label: "σ_b →", labelAnchor: "right", labelOffset: 35 }),
    ],
  });
  const { svg, x, y } = figure;
  const at = (sigmaB: number, sigmaW: number): string => `${pixels(x(sigmaB))},${pixels(y(sigmaW))}`;
  const inside = svgElement(document, "g", { class: "plane" });
  const path = (className: string, d: string): void => {
    if (d !== "") inside.append(svgElement(document, "path", { class: className, d }));
  };

  const drawn = data.parts.map(({ kind, points }) => ({ kind, points: clipped(points, most) }));
  const curve = drawn.flatMap(({ points }) => points);
  const rising = curve.every((point, i) => i === 0 || point.sigmaB >= curve[i - 1]!.sigmaB);
  if (rising && curve.length > 1 && drawn.every(({ kind }, i) => kind !== "missing" || i === 0)) {
    const line = curve.map(({ sigmaB, sigmaW }) => at(sigmaB, sigmaW)).join("L");
    const [left, right] = [curve[0]!.sigmaB, curve.at(-1)!.sigmaB];
    path("plane-chaotic", `M${at(left, most.sigmaW)}L${line}L${at(right, most.sigmaW)}Z`);
  }
  for (const { kind, points } of drawn) {
    const only = points[0];
    if (kind === "missing" || only === undefined) continue;
    if (points.length > 1)
      path(`plane-edge plane-edge-${kind}`, `M${points.map((p) => at(p.sigmaB, p.sigmaW)).join("L")}`);
    else
      path(
        `plane-edge-point plane-edge-${kind}`,
        `M${at(only.sigmaB, only.sigmaW)}m-5,0a5,5 0 1 1 10,0a5,5 0 1 1 -10,0`,
      );
  }
  svg.append(inside, ...phaseLabels(document, curve, most, figure));

  const clamp = (value: number, limit: number): number => Math.min(limit, Math.max(0, value));
  const spots: Spot[] = [];
  const marks: Record<PhaseMark, string[]> = { ordered: [], edge: [], chaotic: [], none: [] };
  const arrows: string[] = [];
  for (const { index, theory } of data.layers) {
    if (theory.sigmaW === null || theory.sigmaB === null) continue;
    const [px, py] = [x(clamp(theory.sigmaB, most.sigmaB)), y(clamp(theory.sigmaW, most.sigmaW))];
    const arrow =
      theory.suggestion === null
        ? ""
        : arrowPath(px, py, x(theory.suggestion.sigmaB), y(clamp(theory.suggestion.sigmaW, most.sigmaW)));
    spots.push({ index, x: px, y: py, arrow });
    if (arrow !== "") arrows.push(arrow);
    const phase = theory.phase?.phase ?? "none";
    marks[phase].push(phasePath(phase, radius, px, py));
  }
  // One path for all of a kind: five hundred layers cost as much as five.
  const layers = svgElement(document, "g", { class: "plane-layers" });
  layers.append(svgElement(document, "path", { class: "plane-arrows", d: arrows.join("") }));
  for (const phase of ["none", "ordered", "edge", "chaotic"] as const) {
    layers.append(svgElement(document, "path", { class: `phase-${phase}`, d: marks[phase].join("") }));
  }
  const marked = svgElement(document, "g", { class: "plane-marked", visibility: "hidden" });
  marked.append(
    svgElement(document, "path", { class: "plane-marked-arrow" }),
    svgElement(document, "circle", { class: "plane-marked-spot", r: 8 }),
  );
  svg.append(layers, marked);
  drawings.set(svg, { ...figure, spots, marked });
  return svg;
}

/** Rings one layer and draws its arrow strong, or with null none. */
export function markPlane(svg: SVGSVGElement, layer: number | null): void {
  const { marked, spots } = drawnPlane(svg);
  const spot = layer === null ? undefined : spots.find(({ index }) => index === layer);
  marked.setAttribute("visibility", spot === undefined ? "hidden" : "visible");
  if (spot === undefined) return;
  const [arrow, ring] = marked.children;
  arrow?.setAttribute("d", spot.arrow);
  ring?.setAttribute("cx", pixels(spot.x));
  ring?.setAttribute("cy", pixels(spot.y));
}

/** The layer whose mark is nearest to a position inside the plot, or null when none is near. */
export function layerNear(svg: SVGSVGElement, x: number, y: number): number | null {
  let nearest: { readonly index: number; readonly distance: number } | null = null;
  for (const spot of drawnPlane(svg).spots) {
    const distance = Math.hypot(spot.x - x, spot.y - y);
    if (distance <= reach && distance < (nearest?.distance ?? Infinity)) nearest = { index: spot.index, distance };
  }
  return nearest?.index ?? null;
}

/** Where a layer's mark is; null when it has none. */
export function spotOf(svg: SVGSVGElement, layer: number): { readonly x: number; readonly y: number } | null {
  return drawnPlane(svg).spots.find(({ index }) => index === layer) ?? null;
}

function drawnPlane(svg: SVGSVGElement): Drawn {
  const found = drawings.get(svg);
  if (found === undefined) throw new Error("not an edge plane");
  return found;
}

type Place = EdgeView["parts"][number]["points"][number];

/** The points up to the border of the plane, the last one on it. */
function clipped(points: readonly Place[], most: { readonly sigmaB: number; readonly sigmaW: number }): Place[] {
  const kept: Place[] = [];
  for (const point of points) {
    const before = kept.at(-1);
    const share = (name: "sigmaB" | "sigmaW"): number =>
      before === undefined || point[name] <= most[name]
        ? 1
        : (most[name] - before[name]) / (point[name] - before[name]);
    const part = Math.min(share("sigmaB"), share("sigmaW"));
    if (part >= 1 && point.sigmaB <= most.sigmaB && point.sigmaW <= most.sigmaW) kept.push(point);
    else if (before !== undefined) {
      kept.push({
        sigmaB: before.sigmaB + part * (point.sigmaB - before.sigmaB),
        sigmaW: before.sigmaW + part * (point.sigmaW - before.sigmaW),
        q: point.q,
      });
      break;
    }
  }
  return kept;
}

/** "chaotic" above the edge and "ordered" below it, where there is room. */
function phaseLabels(
  document: Document,
  curve: readonly Place[],
  most: { readonly sigmaB: number; readonly sigmaW: number },
  { x, y }: Figure,
): SVGTextElement[] {
  if (curve.length === 0) return [];
  const label = (text: string, height: number): SVGTextElement => {
    const made = svgElement(document, "text", {
      class: "plane-label",
      x: pixels(x(0.97 * most.sigmaB)),
      y: pixels(height),
      "text-anchor": "end",
    });
    made.textContent = text;
    return made;
  };
  return [label("chaotic", y(most.sigmaW) + 12), label("ordered", y(0) - 8)];
}

/** A line from one place to another with an open head; empty when they are the same for the eye. */
function arrowPath(x1: number, y1: number, x2: number, y2: number): string {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 2 * radius) return "";
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [sx, sy] = [x1 + ux * (radius + 1), y1 + uy * (radius + 1)];
  const wing = (side: 1 | -1): string =>
    `${pixels(x2 - 5 * ux + side * 3 * uy)},${pixels(y2 - 5 * uy - side * 3 * ux)}`;
  return `M${pixels(sx)},${pixels(sy)}L${pixels(x2)},${pixels(y2)}M${wing(1)}L${pixels(x2)},${pixels(y2)}L${wing(-1)}`;
}
