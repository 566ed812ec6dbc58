/**
 * The edge of chaos for an activation and σ_b: whether there is one, whether it holds the variance, and what to use
 * instead where it does not.
 */
import type { Activation } from "./activations/activation.js";
import { edgeCurve, type EdgeCurve, type EdgePoint, edgePointAt, neededSigmaB2 } from "./edge-curve.js";
import { roots } from "./roots.js";
import { checkSigmaB, rounding, varianceFlow } from "./variance-map.js";

export interface EdgeOfChaos {
  readonly activation: string;
  readonly sigmaB: number;
  readonly status: EdgePoint["status"] | "none";
  /** The point to use: the stable one of least q, else what there is; null when the status is `none`. */
  readonly point: EdgePoint | null;
  /** No other point on the edge has this σ_b. */
  readonly unique: boolean;
  /** Mean square q⁰ of the network's inputs with which the first layer starts at q; null where any start will do. */
  readonly inputScale: number | null;
  /** Starts between these reach q; null when the status is not `stable`. `to` is null when there is no upper end. */
  readonly basin: { readonly from: number; readonly to: number | null } | null;
  /** The stable or marginal point whose σ_b is nearest, where the status is `unstable` or `none`; null if there is none. */
  readonly nearest: EdgePoint | null;
  /** All of it in sentences. */
  readonly explanation: string;
}

/**
 * @param curve that of the activation, where it is known already.
 * @throws PruneScopeError `bad-request` for σ_b out of range.
 */
export function edgeOfChaos(
  activation: Activation,
  sigmaB: number,
  curve: EdgeCurve = edgeCurve(activation),
): EdgeOfChaos {
  checkSigmaB(sigmaB);
  const points = pointsAt(activation, sigmaB, curve);
  const point = points.find(({ status }) => status !== "unstable") ?? points[0] ?? null;
  const status: EdgeOfChaos["status"] = point?.status ?? "none";
  const valid = status === "stable" || status === "marginal";
  const found = {
    activation: activation.name,
    sigmaB,
    status,
    point,
    unique: points.length === 1,
    inputScale: point === null ? null : inputScale(point),
    basin: point !== null && status === "stable" ? basinOf(activation, point) : null,
    nearest: valid ? null : nearestTo(sigmaB, curve),
  };
  return { ...found, explanation: explain(activation, found) };
}

/** q⁰ = (q* − σ_b²)/σ_w²; null where any start will do, or where the variance held is 0. */
export const inputScale = ({ q, sigmaW, sigmaB }: EdgePoint): number | null =>
  q === null || q === 0 ? null : (q - sigmaB ** 2) / sigmaW ** 2;

/** Every point of the edge with this σ_b, ascending in q. */
function pointsAt(activation: Activation, sigmaB: number, { origin, parts }: EdgeCurve): EdgePoint[] {
  const over = (sigmaB2: number): number => sigmaB2 - sigmaB ** 2;
  const samples = parts.flatMap(({ kind, from, to, points }) =>
    kind === "missing"
      ? [from, to].map((x) => ({ x, value: -Infinity }))
      : points.map((point) => ({ x: point.q ?? 0, value: over(point.sigmaB ** 2) })),
  );
  const found = roots(
    (q) => over(neededSigmaB2(activation, q) ?? -Infinity),
    samples,
    (q) => rounding * q,
  );
  const inside = found.flatMap((q) => edgePointAt(activation, q) ?? []).map((point) => ({ ...point, sigmaB }));
  return origin !== null && sigmaB === 0 ? [origin, ...inside] : inside;
}

function nearestTo(sigmaB: number, { origin, parts }: EdgeCurve): EdgePoint | null {
  const stable = parts.flatMap(({ kind, points }) => (kind === "stable" ? points : []));
  const candidates = origin === null || origin.status === "unstable" ? stable : [origin, ...stable];
  return candidates.reduce<EdgePoint | null>(
    (best, point) => (best === null || Math.abs(point.sigmaB - sigmaB) < Math.abs(best.sigmaB - sigmaB) ? point : best),
    null,
  );
}

/** From the unstable fixed point below q to the one above. */
function basinOf(activation: Activation, point: EdgePoint): { from: number; to: number | null } {
  const { fixed } = varianceFlow(activation, point);
  const own = point.q ?? 0;
  const unstable = fixed.filter(({ stability }) => stability === "unstable").map(({ q }) => q);
  return {
    from: Math.max(0, ...unstable.filter((q) => q < own)),
    to: unstable.find((q) => q > own) ?? null,
  };
}

const digits = (value: number): string => String(Number(value.toPrecision(6)));

function explain(activation: Activation, edge: Omit<EdgeOfChaos, "explanation">): string {
  const { point, sigmaB, basin, nearest } = edge;
  const name = activation.name;
  const sentences: string[] = [];
  if (activation.jumps)
    sentences.push(`${name} jumps, so two inputs part however close they are: there is no edge of chaos.`);
  else if (point === null) sentences.push(`${name} has no edge of chaos at σ_b = ${digits(sigmaB)}.`);
  else if (point.q === null)
    sentences.push(`${name} keeps every variance at σ_w = ${digits(point.sigmaW)}, without biases.`);
  else if (point.status === "stable")
    sentences.push(`At σ_w = ${digits(point.sigmaW)} the variance returns to q = ${digits(point.q)}.`);
  else if (point.status === "marginal")
    sentences.push(
      point.q === 0
        ? `At σ_w = ${digits(point.sigmaW)} the variance falls to 0, but slower than exponentially.`
        : `At σ_w = ${digits(point.sigmaW)} the variance stays near where it starts.`,
    );
  else if (point.q === 0)
    sentences.push(
      `χ is 1 at σ_w = ${digits(point.sigmaW)} for variances near 0, but they do not stay there: they grow from layer to layer.`,
    );
  else
    sentences.push(
      `χ is 1 at σ_w = ${digits(point.sigmaW)}, but the variance does not stay at q = ${digits(point.q)}: ` +
        `V' is ${digits(point.vPrime)}, so a small error grows from layer to layer.`,
    );
  if (basin?.to != null) sentences.push(`Starts above q = ${digits(basin.to)} run away from it.`);
  if (basin !== null && basin.from > 0) sentences.push(`Starts below q = ${digits(basin.from)} run away from it.`);
  if (nearest !== null)
    sentences.push(
      `The nearest σ_b with a point that holds is ${digits(nearest.sigmaB)}, with σ_w = ${digits(nearest.sigmaW)}.`,
    );
  else if (point === null || point.status === "unstable") sentences.push("No other σ_b has one that holds either.");
  if (!edge.unique && point !== null) sentences.push("Other σ_w are on the edge with this σ_b too.");
  return sentences.join(" ");
}
