/** Copies of models with channels in random orders, every set that may move, and what runs of both give. */
import type * as ort from "onnxruntime-node";
import type { DynamicAxes } from "../../server/protocol/requests.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { channelsOf } from "../../server/src/analysis/permutation/channels-of.js";
import { reordered } from "../../server/src/analysis/edits/reordered.js";
import type { Channels } from "../../server/src/graph/channels/index.js";
import { setsOf } from "../../server/src/graph/channels/axes.js";
import { axisOrder } from "../../server/src/graph/channels/orders.js";
import type { ChannelRule } from "../../server/src/graph/channels/rule.js";
import { channelRules } from "../../server/src/graph/channels/rules/index.js";
import type { ChannelSet } from "../../server/src/graph/channels/sets.js";
import { uniform } from "../../server/src/runtime/inputs.js";
import { writeCopy } from "./write-copy.js";

export interface ShuffledOptions {
  readonly seed?: number;
  readonly axes?: DynamicAxes;
  /** Rules to find channels by, in the place of all. */
  readonly rules?: readonly ChannelRule[];
}

export interface Shuffled {
  readonly path: string;
  /** Names of tensors that were reordered. */
  readonly moved: readonly string[];
  /** Channels of each set that was shuffled. */
  readonly counts: readonly number[];
  readonly channels: Channels;
}

/** Sets of a model that may move, each once. */
export function freeSets({ tensors }: Channels): ChannelSet[] {
  const all = [...tensors.values()].flatMap(({ axes }) => axes.flatMap(setsOf));
  return [...new Set(all)].filter(({ reason, count }) => reason === null && count > 1);
}

/** A random order that is not the identity. */
function shuffledOrder(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  if (order.every((from, i) => from === i)) order.reverse();
  return order;
}

/** Writes a copy of the model at `path` into the folder `place`, all channels that may move shuffled. */
export async function shuffledCopy(
  path: string,
  place: string,
  { seed = 1, axes = {}, rules = channelRules }: ShuffledOptions = {},
): Promise<Shuffled> {
  return withModel(path, async (open) => {
    const channels = await channelsOf(open, axes, 1, rules);
    const random = uniform(seed);
    const sets = freeSets(channels);
    const orders = new Map(sets.map((set) => [set, shuffledOrder(set.count, random)]));
    const edits = [...channels.tensors.values()].flatMap(({ constant, axes: all }) => {
      const moves = all.map((axis) => axisOrder(axis, orders));
      return moves.some((move) => move !== null) ? [reordered(open.source, constant, moves)] : [];
    });
    return {
      path: await writeCopy(place, open, [], edits),
      moved: edits.map(({ name }) => name),
      counts: sets.map(({ count }) => count),
      channels,
    };
  });
}

export type Feeds = Readonly<Record<string, ort.Tensor>>;
