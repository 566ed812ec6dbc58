/**
 * Whether the graph that we work on computes what the person's model does, found out by running both: for formats that
 * are lowered to our graph, where ONNX Runtime does not take the file itself.
 */

/** What TensorFlow.js computes with, best first. */
export const tfjsBackends = ["tfjs-node", "wasm", "cpu"] as const;

export type TfjsBackend = (typeof tfjsBackends)[number];

export interface ParityOutput {
  /** In the lowered graph. */
  readonly name: string;
  /** Largest |a − b|; null where shapes differ, or NaN stands against a number. */
  readonly maxDifference: number | null;
  /** `maxDifference` over the largest |a| of the original's output; null where that is. */
  readonly relative: number | null;
}

/** Both were run on the same input, and agree. */
export interface ProvenParity {
  readonly proven: true;
  readonly backend: TfjsBackend;
  /** Of TensorFlow.js. */
  readonly version: string;
  /** Why better backends were not taken, in sentences; empty where the best was. */
  readonly reason: string;
  /** What was fed, in words. */
  readonly input: string;
  readonly outputs: readonly ParityOutput[];
  /** Largest of the outputs' relative differences. */
  readonly relative: number;
  /** What `relative` may be: 1e-5, or four times what TensorFlow.js' own backends differ by on this input. */
  readonly allowed: number;
  readonly seconds: number;
}

/** Nothing was compared. */
export interface UnprovenParity {
  readonly proven: false;
  /** Why, in sentences. */
  readonly reason: string;
  readonly seconds: number;
}

export type ParityReport = ProvenParity | UnprovenParity;

/** The report in a sentence or two. */
export function parityWords(report: ParityReport): string {
  if (!report.proven) return `Not compared with TensorFlow.js: ${report.reason}`;
  const { backend, version, relative, allowed, reason } = report;
  const words =
    `Computes what the original does in TensorFlow.js ${version} (${backend}): the largest difference is ` +
    `${relative.toExponential(1)} of the largest value, ${allowed.toExponential(1)} is allowed.`;
  return reason === "" ? words : `${words} ${reason}`;
}
