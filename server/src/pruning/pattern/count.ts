/**
 * Counts groups of an N:M pattern in one pass over a tensor of any size: pieces of at most a block, of whole slabs
 * where a slab fits, else of whole rows of one slab or a part of one row, so that memory is that of a block.
 */
import { blockElements } from "../../formats/stored-elements.js";
import { type GroupLayout, slabElements } from "./layout.js";

/** Consecutive elements [start, start + rows · width): steps of the reduction axis by what is behind it. */
export interface Piece {
  readonly start: number;
  readonly rows: number;
  readonly width: number;
  /** It holds whole groups and nothing else. */
  readonly whole: boolean;
}

/** The pieces of a tensor, such that the rows of each group follow one another; each element is in one piece. */
export function* piecesOf(layout: GroupLayout): Iterable<Piece> {
  const { inner, m, size } = layout;
  const slab = slabElements(layout);
  if (slab <= blockElements) {
    const step = slab * Math.floor(blockElements / slab);
    for (let start = 0; start < size; start += step)
      yield { start, rows: Math.min(step, size - start) / inner, width: inner, whole: true };
    return;
  }
  const most = Math.max(1, Math.floor(blockElements / inner));
  for (let first = 0; first < size; first += slab)
    for (let column = 0; column < inner; column += blockElements)
      for (let row = 0; row < m; row += most)
        yield {
          start: first + row * inner + column,
          rows: Math.min(most, m - row),
          width: Math.min(blockElements, inner - column),
          whole: false,
        };
}

/** Groups with more than `n` elements that are not 0, of the pieces that were added, in the order of {@link piecesOf}. */
export class GroupTally {
  violations = 0;
  /** Index in the tensor of the first element of the first group that fails. */
  first: number | null = null;
  /** Most elements of one group that are not 0. */
  most = 0;
  readonly #layout: GroupLayout;
  readonly #n: number;
  /** Of the group that is begun, by column. */
  readonly #counts: Uint16Array;
  #row = 0;
  #start = 0;

  /** @param layout its m may divide that of the layout whose pieces are added. */
  constructor(layout: GroupLayout, n: number) {
    this.#layout = layout;
    this.#n = n;
    this.#counts = new Uint16Array(Math.min(layout.inner, blockElements));
  }

  /** Adds a piece's elements: 1 where they are not 0, else 0. */
  add(flags: Uint8Array, piece: Piece): void {
    if (piece.whole) this.#addSlabs(flags, piece);
    else for (let row = 0; row < piece.rows; row++) this.#addRow(flags, piece, row);
  }

  #addSlabs(flags: Uint8Array, { start, rows, width }: Piece): void {
    const slab = slabElements(this.#layout);
    const count = rows * width;
    const limit = this.#n;
    let { most } = this;
    for (let first = 0; first < count; first += slab)
      for (let column = first; column < first + width; column++) {
        let sum = 0;
        for (let at = column; at < first + slab; at += width) sum += flags[at]!;
        if (sum > most) most = sum;
        if (sum > limit) this.#fail(start + column);
      }
    this.most = most;
  }

  #addRow(flags: Uint8Array, { start, width }: Piece, row: number): void {
    const counts = this.#counts;
    const from = row * width;
    if (this.#row === 0) this.#start = start + from;
    for (let column = 0; column < width; column++) counts[column] = counts[column]! + flags[from + column]!;
    if (++this.#row < this.#layout.m) return;
    for (let column = 0; column < width; column++) {
      const sum = counts[column]!;
      if (sum > this.most) this.most = sum;
      if (sum > this.#n) this.#fail(this.#start + column);
    }
    counts.fill(0, 0, width);
    this.#row = 0;
  }

  #fail(index: number): void {
    this.violations++;
    if (this.first === null || index < this.first) this.first = index;
  }
}

/** The elements of a tensor as single ones, for passes that ask for no groups. */
export const ungrouped = (size: number): GroupLayout => ({ length: 1, inner: 1, size, m: 1 });
