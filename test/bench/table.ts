/** Rows of the benchmark: ratios inside one run, medians of several rounds, with the aim where there is one. */

export interface Row {
  readonly what: string;
  readonly against: string;
  readonly ratio: number;
  /** Aimed at: at most this; null where there is no aim. */
  readonly aim: number | null;
  readonly detail: string;
}

/** Middle of the values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** The rows as text. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.what,
    row.against,
    row.ratio.toFixed(2),
    row.aim === null ? "" : `≤ ${row.aim}`,
    row.aim === null ? "" : row.ratio <= row.aim ? "reached" : "missed",
    row.detail,
  ]);
  const header = ["what", "against", "ratio", "aim", "", "detail"];
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  return [header, ...cells]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
