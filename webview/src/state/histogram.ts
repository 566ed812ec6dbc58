/**
 * Histograms of scores on a log2 axis: adding several layers up, and finding the score below which a given number of
 * weights falls. The exact threshold comes from the engine; this one follows the slider in between.
 */

/** `counts[i]` scores lie in [2^((first+i)/perOctave), next bin). */
export interface Histogram {
  readonly first: number;
  readonly perOctave: number;
  readonly counts: ArrayLike<number>;
}

/** Lower edge of bin `i`. */
export function binEdge(histogram: Histogram, i: number): number {
  return 2 ** ((histogram.first + i) / histogram.perOctave);
}

/** Sum over layers, on the coarsest of their bins, without empty bins at the ends; null when there is no score. */
export function addHistograms(histograms: readonly Histogram[]): Histogram | null {
  const filled = histograms.filter((histogram) => histogram.counts.length > 0);
  if (filled.length === 0) return null;
  const perOctave = Math.min(...filled.map((histogram) => histogram.perOctave));
  const bins = new Map<number, number>();
  for (const histogram of filled) {
    for (let i = 0; i < histogram.counts.length; i++) {
      const count = histogram.counts[i]!;
      if (count === 0) continue;
      const bin = Math.floor(((histogram.first + i) * perOctave) / histogram.perOctave);
      bins.set(bin, (bins.get(bin) ?? 0) + count);
    }
  }
  if (bins.size === 0) return null;
  let first = Infinity;
  let last = -Infinity;
  for (const bin of bins.keys()) {
    first = Math.min(first, bin);
    last = Math.max(last, bin);
  }
  const counts = new Float64Array(last - first + 1);
  for (const [bin, count] of bins) counts[bin - first] = count;
  return { first, perOctave, counts };
}

/**
 * Cuts off the lowest bins that hold no more than `share` of all scores together: on a logarithmic axis they would
 * take half the width to show nothing.
 * @returns what is left, and how many scores were cut off.
 */
export function trimLow(histogram: Histogram, share: number): { readonly histogram: Histogram; readonly cut: number } {
  const counts = Array.from(histogram.counts);
  const allowed = share * counts.reduce((sum, count) => sum + count, 0);
  let cut = 0;
  let bins = 0;
  while (bins < counts.length - 1 && cut + counts[bins]! <= allowed) cut += counts[bins++]!;
  return { histogram: { ...histogram, first: histogram.first + bins, counts: counts.slice(bins) }, cut };
}

/**
 * Score of the weakest of the `kept` highest scores, to within a bin (log-linear inside it).
 * @returns null when all scores of the histogram are kept, and Infinity when none is.
 */
export function estimateThreshold(histogram: Histogram, kept: number): number | null {
  if (kept <= 0) return Infinity;
  let above = 0;
  for (let i = histogram.counts.length - 1; i >= 0; i--) {
    const count = histogram.counts[i]!;
    if (above + count > kept) return binEdge(histogram, i + 1 - (kept - above) / count);
    above += count;
  }
  return null;
}
