/**
 * Sets of channels that can only be reordered together. An axis of a tensor is a row of segments: the channels of a set
 * one after the other, each of them `inner` neighbouring positions. Operators say which axes are one and the same; sets
 * are then joined, cut at the boundaries of parts (groups, parts of a Concat), or fixed with the reason.
 */

/** The channels of one set along an axis: `count` channels, each of `inner` neighbouring positions. */
export interface Segment {
  readonly set: ChannelSet;
  readonly inner: number;
}

/** The order of an axis: its segments one after the other. */
export type Segments = readonly Segment[];

/** Most segments of one axis: what is repeated more often is no channel axis. */
export const maxSegments = 2048;

const times = ({ set, inner }: Segment, by: number): Segment =>
  by === 1 ? { set, inner } : { set, inner: inner * by };

/** Channels that move together wherever they occur, or stay where they are. */
export class ChannelSet {
  /** What it has been replaced with: another set, or its parts. */
  #parts: Segments | null = null;
  #reason: string | null = null;

  constructor(
    readonly count: number,
    reason: string | null = null,
  ) {
    this.#reason = reason;
  }

  /** What its channels are now, in its own positions: itself until it was joined or cut. */
  get parts(): Segments {
    if (this.#parts === null) return [{ set: this, inner: 1 }];
    // Without recursion: a chain may be as long as the graph. What is found is kept for the next time.
    const found: Segment[] = [];
    const open = [...this.#parts].reverse();
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      const parts = one.set.#parts;
      if (parts === null) found.push(one);
      else for (let i = parts.length - 1; i >= 0; i--) open.push(times(parts[i]!, one.inner));
    }
    this.#parts = found;
    return found;
  }

  /** Why its channels stay where they are; null where they may move. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Says that its channels stay; the first reason is kept. */
  fix(reason: string): void {
    if (this.#parts === null) this.#reason ??= reason;
    else for (const { set } of this.parts) set.fix(reason);
  }

  /** Replaces it with sets of the same positions, which stay if it had to. */
  become(parts: Segments): void {
    const reason = this.#reason;
    this.#parts = parts;
    if (reason !== null) for (const { set } of parts) set.fix(reason);
  }
}

/** The segments with every set replaced by what it has become. */
export function resolved(segments: Segments): Segments {
  if (segments.every(({ set }) => set.parts[0]!.set === set)) return segments;
  return segments.flatMap(({ set, inner }) => set.parts.map((part) => times(part, inner)));
}

/** Number of positions of an axis. */
export const positions = (segments: Segments): number =>
  segments.reduce((sum, { set, inner }) => sum + set.count * inner, 0);

/** Says that no channel of these segments moves. */
export function fixAll(segments: Segments, reason: string): void {
  for (const { set } of segments) set.fix(reason);
}

/** The segments with each position repeated, `by` neighbours for one. */
export const widened = (segments: Segments, by: number): Segments => segments.map((segment) => times(segment, by));

/**
 * Makes two axes one: afterwards their positions can only move together. Where that cannot be said in sets, both stay
 * for the `reason`.
 */
export function join(a: Segments, b: Segments, reason: string): void {
  if (positions(a) !== positions(b)) {
    fixAll(a, reason);
    fixAll(b, reason);
    return;
  }
  const [left, right] = [new Line(a), new Line(b)];
  for (;;) {
    const [one, other] = [left.head, right.head];
    if (one === null || other === null) return;
    const [length, otherLength] = [one.set.count * one.inner, other.set.count * other.inner];
    if (length !== otherLength) {
      const longer = length > otherLength ? one : other;
      if (!cut(longer, Math.min(length, otherLength))) break;
      continue;
    }
    if (one.set !== other.set) {
      const [fine, coarse] = one.inner <= other.inner ? [one, other] : [other, one];
      if (coarse.inner % fine.inner !== 0) break;
      fine.set.become([{ set: coarse.set, inner: coarse.inner / fine.inner }]);
    } else if (one.inner !== other.inner) one.set.fix(reason);
    left.shift();
    right.shift();
  }
  // What is left of them could not be laid side by side.
  fixAll(left.rest, reason);
  fixAll(right.rest, reason);
}

/** Segments that are taken off one by one, each as it is when its turn comes: an earlier one may have joined or cut it. */
class Line {
  readonly #open: Segment[];

  constructor(segments: Segments) {
    this.#open = [...segments].reverse();
  }

  /** The next segment; null at the end. */
  get head(): Segment | null {
    for (;;) {
      const last = this.#open.at(-1);
      if (last === undefined) return null;
      const { parts } = last.set;
      if (parts[0]!.set === last.set) return last;
      this.#open.pop();
      for (let i = parts.length - 1; i >= 0; i--) this.#open.push(times(parts[i]!, last.inner));
    }
  }

  get rest(): Segments {
    return this.#open;
  }

  shift(): void {
    this.#open.pop();
  }
}

/** Cuts the set of a segment in two, the first of them `at` positions long; false where that falls into a channel. */
function cut({ set, inner }: Segment, at: number): boolean {
  if (at % inner !== 0) return false;
  const first = at / inner;
  set.become([
    { set: new ChannelSet(first), inner: 1 },
    { set: new ChannelSet(set.count - first), inner: 1 },
  ]);
  return true;
}

/** The segments in `parts` equal runs, sets cut at the boundaries; null where a boundary falls into a channel, or they are too many. */
export function divided(segments: Segments, parts: number): Segments[] | null {
  const length = positions(segments) / parts;
  if (!Number.isInteger(length) || parts > maxSegments) return null;
  const runs: Segment[][] = [];
  const line = new Line(segments);
  for (let run = 0; run < parts; run++) {
    const own: Segment[] = [];
    for (let missing = length; missing > 0;) {
      const head = line.head!;
      const size = head.set.count * head.inner;
      if (size > missing) {
        if (!cut(head, missing)) return null;
        continue;
      }
      own.push(head);
      line.shift();
      missing -= size;
    }
    runs.push(own);
  }
  // Later cuts may have gone through sets of earlier runs.
  return runs.map(resolved);
}
