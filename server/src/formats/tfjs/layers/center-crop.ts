/**
 * Which rows and columns TensorFlow.js' CenterCrop keeps. It crops by cropAndResize with `nearest`, from fractions of the
 * image's size in float32: indices are spread over (size − 1) and rounded, which is not always the middle.
 */

export interface Crop {
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
}

/** Indices of the rows and columns that are kept, of an image that is no smaller than what is cropped. */
export function cropRows({ height, width, rows, columns }: Crop): { rows: number[]; columns: number[] } {
  const above = Math.floor((height - rows) / 2);
  const half = Math.floor((width - columns) / 2);
  const left = width !== columns && half === 0 ? 1 : half;
  return { rows: kept(height, rows, above), columns: kept(width, columns, left) };
}

function kept(length: number, count: number, before: number): number[] {
  const [start, end] = [Math.fround(before / length), Math.fround((count + before) / length)];
  const step = count > 1 ? ((end - start) * (length - 1)) / (count - 1) : 0;
  const first = count > 1 ? start * (length - 1) : 0.5 * (start + end) * (length - 1);
  return Array.from({ length: count }, (_, i) => Math.round(first + i * step));
}
