/**
 * Which output and input channels of a weight have an element that is not 0, marked in one pass over the elements in any
 * order. Channels are told apart as the network has them: those of all groups of a grouped convolution, and those of
 * every matrix of a stack.
 */
import { operatorLabel } from "../graph/graph.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { elementCount } from "../graph/tensor.js";

/** How an element's index gives its channel: floor(i / inner) % length + length · floor(i / stride). */
export interface ChannelLayout {
  readonly inner: number;
  readonly length: number;
  /** Elements of one part: a group of a convolution, or one matrix of a stack; a multiple of inner · length. */
  readonly stride: number;
  /** Channels of all parts. */
  readonly total: number;
}

/** Layout of a weight's channels of one `role`, or null where they cannot be told apart. */
export function channelLayout(weight: PrunableWeight, role: "in" | "out"): ChannelLayout | null {
  const { roles, shape, disagreement } = weight;
  const [axis, ...others] = roles[role];
  if (axis === undefined || others.length > 0 || disagreement !== null) return null;
  if (roles.batch.some((batch, i) => batch !== i || batch >= axis)) return null;
  const size = elementCount(shape);
  let parts = elementCount(shape.slice(0, roles.batch.length));
  // One of the two axes holds the channels of all groups, the other those of one, once for each channel of the first.
  const isTransposed = operatorLabel(weight.uses[0]!.node) === "ConvTranspose";
  if (roles.groups > 1 && (role === "out") === isTransposed) {
    const [across] = isTransposed ? roles.in : roles.out;
    if (across !== 0 || axis === 0 || shape[0]! % roles.groups !== 0) return null;
    parts = roles.groups;
  }
  const length = shape[axis]!;
  return { inner: elementCount(shape.slice(axis + 1)), length, stride: size / parts, total: length * parts };
}

/** Marks channels that have an element that is not 0. */
export class ChannelMarks {
  readonly #layout: ChannelLayout;
  readonly #seen: Uint8Array;
  #empty: number;

  constructor(layout: ChannelLayout) {
    this.#layout = layout;
    this.#seen = new Uint8Array(layout.total);
    this.#empty = layout.total;
  }

  /** Channels without an element that is not 0, so far. */
  get empty(): number {
    return this.#empty;
  }

  /** Adds the elements [start, start + count): 1 where they are not 0. Nothing is done once every channel has one. */
  add(flags: Uint8Array, start: number, count: number): void {
    if (this.#empty === 0) return;
    const { inner, length, stride } = this.#layout;
    const seen = this.#seen;
    for (let i = 0; i < count;) {
      const index = start + i;
      const first = Math.floor(index / stride) * length;
      let channel = Math.floor(index / inner) % length;
      if (inner === 1) {
        // Channels run along the last axis: one element for each.
        const end = Math.min(count, i + length - channel);
        for (; i < end; i++, channel++) seen[first + channel]! |= flags[i]!;
        continue;
      }
      const end = Math.min(count, i + inner - (index % inner));
      if (seen[first + channel] === 0) while (i < end && flags[i] === 0) i++;
      if (i < end) seen[first + channel] = 1;
      i = end;
    }
    this.#empty = 0;
    for (const one of seen) if (one === 0) this.#empty++;
  }
}
