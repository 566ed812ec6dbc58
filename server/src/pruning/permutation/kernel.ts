/**
 * The arithmetic of the search on scores of 8 bits. With M_x the n-th highest of the *other* m − 1 columns in x's group,
 * row by row (2:4: their median), a group keeps Σ max(M_x, w_x) and what does not depend on x, so that exchanging x and
 * y of two groups wins Σ max(M_x, w_y) + Σ max(M_y, w_x) − Σ max(M_x, w_x) − Σ max(M_y, w_y): one max and one add each.
 */

/** Columns of bytes with their thresholds M. */
export interface Kernel {
  /** Bytes of a column: its rows, and zeros up to `stride`. */
  readonly stride: number;
  /** Column x begins at x · stride. */
  readonly weights: Uint8Array;
  /** Takes these m columns as a group: sets the threshold of each to the n-th highest of the others. */
  regroup(members: Uint32Array): void;
  /** Σ max(M_x, w_y) + max(M_y, w_x). */
  exchanged(x: number, y: number): number;
}

/** The kernel in plain TypeScript: what the other one is compared with, and what runs where WebAssembly has no SIMD. */
export class PlainKernel implements Kernel {
  readonly weights: Uint8Array;
  private readonly limits: Uint8Array;
  private readonly group: Uint8Array;

  constructor(
    readonly stride: number,
    columns: number,
    m: number,
    private readonly n: number,
  ) {
    this.weights = new Uint8Array(columns * stride);
    this.limits = new Uint8Array(columns * stride);
    this.group = new Uint8Array(m);
  }

  regroup(members: Uint32Array): void {
    const { stride, weights, limits, group, n } = this;
    const m = members.length;
    for (let row = 0; row < stride; row++) {
      for (let k = 0; k < m; k++) group[k] = weights[members[k]! * stride + row]!;
      group.sort();
      const nth = group[m - n]!;
      const next = group[m - n - 1]!;
      for (let k = 0; k < m; k++) {
        const at = members[k]! * stride + row;
        limits[at] = weights[at]! > next ? next : nth;
      }
    }
  }

  exchanged(x: number, y: number): number {
    const { stride, weights, limits } = this;
    let sum = 0;
    for (let i = x * stride, j = y * stride, end = i + stride; i < end; i++, j++) {
      sum += Math.max(limits[i]!, weights[j]!) + Math.max(limits[j]!, weights[i]!);
    }
    return sum;
  }
}
