/** Which columns share a group while a search goes on, and what exchanging two of them wins. */
import type { Kernel } from "./kernel.js";

/** Columns at their places; places g·m to g·m + m − 1 are group g. */
export class Grouping {
  /** Column at each place. */
  readonly at: Uint32Array;
  /** Place of each column. */
  readonly #place: Uint32Array;
  /** Twice Σ max(M_x, w_x) of each column. */
  readonly #twice: Float64Array;
  readonly #groups: readonly Uint32Array[];

  constructor(
    readonly kernel: Kernel,
    readonly columns: number,
    readonly m: number,
  ) {
    this.at = Uint32Array.from({ length: columns }, (_, i) => i);
    this.#place = this.at.slice();
    this.#twice = new Float64Array(columns);
    this.#groups = Array.from({ length: columns / m }, (_, g) => this.at.subarray(g * m, (g + 1) * m));
    for (const group of this.#groups) this.#regroup(group);
  }

  /** Group of a column. */
  groupOf(x: number): number {
    return Math.floor(this.#place[x]! / this.m);
  }

  /** What the pattern keeps more when columns x and y of two groups change places, in steps of the kernel's bytes. */
  gain(x: number, y: number): number {
    return this.kernel.exchanged(x, y) - 0.5 * (this.#twice[x]! + this.#twice[y]!);
  }

  /** Columns x and y of two groups change places. */
  exchange(x: number, y: number): void {
    const i = this.#place[x]!;
    const j = this.#place[y]!;
    this.#put(y, i);
    this.#put(x, j);
    this.#regroup(this.#groups[Math.floor(i / this.m)]!);
    this.#regroup(this.#groups[Math.floor(j / this.m)]!);
  }

  /** Puts all columns back where `at` has them. */
  restore(at: Uint32Array): void {
    const { m } = this;
    for (const [g, group] of this.#groups.entries()) {
      let same = true;
      for (let k = 0; k < m; k++) same &&= group[k] === at[g * m + k];
      if (same) continue;
      for (let i = g * m; i < (g + 1) * m; i++) this.#put(at[i]!, i);
      this.#regroup(group);
    }
  }

  #put(x: number, place: number): void {
    this.at[place] = x;
    this.#place[x] = place;
  }

  #regroup(group: Uint32Array): void {
    this.kernel.regroup(group);
    for (const x of group) this.#twice[x] = this.kernel.exchanged(x, x);
  }
}
