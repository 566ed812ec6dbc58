/** The comparison of two models for terminals. */
import { pc } from "./colors.js";
import type { ComparedLayer, ComparedOutput, CompareReport, Latency } from "../../protocol/compare.js";
import { describeError } from "../../protocol/errors.js";
import { densityBar } from "./report-text.js";
import { count, percent, plain, shorten } from "./text.js";

/** At most `width` columns wide where names allow. */
export function comparisonText(report: CompareReport, width: number): string {
  const { original, pruned, input, samples, outputs, notes } = report;
  const lines = [
    `${pc.dim("original")}  ${pc.bold(plain(original.path))}`,
    `${pc.dim("pruned")}    ${pc.bold(plain(pruned.path))}`,
    "",
    ...layerTable(report.layers, width),
    "",
    sizeLine(report),
  ];
  if (samples > 0) lines.push("", `outputs on ${plain(input)}:`, ...outputs.map(outputLine));
  if (report.accuracy !== null) {
    const { original: before, pruned: after, samples: labelled } = report.accuracy;
    lines.push(`accuracy: ${percent(before, 2)} → ${percent(after, 2)} of ${count(labelled)} labels`);
  }
  if (report.latency !== null) {
    const { original: before, pruned: after, threads, samples: size } = report.latency;
    lines.push(
      `latency in ONNX Runtime: ${times(before)} → ${times(after)} (median and quartiles of ${count(after.runs)} runs each; ` +
        `${size} ${size === 1 ? "sample" : "samples"} a run, ${threads} ${threads === 1 ? "thread" : "threads"})`,
    );
  }
  for (const note of notes) lines.push(pc.dim(`note: ${plain(note)}`));
  return `${lines.join("\n")}\n`;
}

function layerTable(layers: readonly ComparedLayer[], width: number): string[] {
  const nameWidth = Math.max(12, Math.min(44, width - 90, Math.max(0, ...layers.map(({ id }) => id.length))));
  const row = (cells: readonly [string, string, string, string, string, string, string, string]): string => {
    const [name, op, shape, before, beforeShare, after, afterShare, unchanged] = cells;
    return `${name.padEnd(nameWidth)}  ${op.padEnd(8)}  ${shape.padStart(14)}  ${before} ${beforeShare.padStart(7)}  ${after} ${afterShare.padStart(7)}  ${unchanged.padStart(9)}`;
  };
  const bar = (density: number | null): string => (density === null ? "".padEnd(20) : densityBar(density));
  const share = (density: number | null): string => (density === null ? "–" : percent(density));
  return [
    pc.dim(row(["layer", "op", "shape", "original".padEnd(20), "", "pruned".padEnd(20), "", "unchanged"])),
    ...layers.map(({ id, op, shape, parameters, zeros, unchanged }) => {
      const [before, after] = [zeros.original, zeros.pruned].map((zero) =>
        zero === null ? null : 1 - zero / parameters,
      ) as [number | null, number | null];
      return row([
        shorten(plain(id), nameWidth),
        shorten(plain(op.split(".").at(-1)!), 8),
        shorten(shape.join("×"), 14),
        bar(before),
        share(before),
        bar(after),
        share(after),
        share(unchanged),
      ]);
    }),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

function sizeLine({ original, pruned, compressed }: CompareReport): string {
  const line = `size: ${megabytes(original.bytes)} → ${megabytes(pruned.bytes)}`;
  if (compressed === null) return line;
  if ("code" in compressed) return `${line}; not compressed: ${plain(describeError(compressed))}`;
  return `${line}; zip: ${megabytes(compressed.original.compressed)} → ${megabytes(compressed.pruned.compressed)}`;
}

function outputLine({ name, shape, ...output }: ComparedOutput): string {
  const { maxDifference, meanDifference, cosine, argmaxAgreement, maxOriginal } = output;
  const place = `  ${plain(name)} [${shape.join(", ")}]: `;
  if (maxDifference === null || meanDifference === null) return `${place}shapes differ, or NaN stands against a number`;
  const words = [
    `largest difference ${maxDifference.toPrecision(3)}`,
    `mean ${meanDifference.toPrecision(3)}`,
    `largest value ${maxOriginal.toPrecision(3)}`,
    ...(cosine === null ? [] : [`cosine ${cosine.toFixed(4)}`]),
    ...(argmaxAgreement === null ? [] : [`same largest element in ${percent(argmaxAgreement)} of samples`]),
  ];
  return place + words.join(", ");
}

const times = ({ median, low, high }: Latency): string =>
  `${median.toPrecision(3)} ms [${low.toPrecision(3)}, ${high.toPrecision(3)}]`;
