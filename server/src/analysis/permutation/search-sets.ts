/**
 * What a search for a better order looks at: of each set of channels that may move, the columns that it fills in weights
 * under the pattern. Every other weight moves along, and is not asked.
 */
import type { LayerId } from "../../../protocol/model.js";
import type { NofM } from "../../../protocol/recipe.js";
import { isDependent, setsOf } from "../../graph/channels/axes.js";
import type { Channels, ChannelTensor } from "../../graph/channels/index.js";
import type { ChannelSet, Segments } from "../../graph/channels/sets.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { storageKey } from "../../graph/tensor.js";
import { patternFit } from "../../pruning/pattern/eligibility.js";
import type { GroupLayout } from "../../pruning/pattern/layout.js";

/** The columns of a set in one weight. */
export interface Columns {
  /** Index of the layer. */
  readonly layer: number;
  readonly layout: GroupLayout;
  /** First of them along the reduction axis. */
  readonly first: number;
  /** Which of so many equal runs of the tensor's first axis have this order; one run is all of it. */
  readonly part: number;
  readonly parts: number;
}

export interface SearchSet {
  /** Unique: the layer that makes the channels, else the tensor that they are first met in. */
  readonly name: string;
  readonly set: ChannelSet;
  readonly columns: readonly Columns[];
}

/** A layer that can hold the pattern, and the tensor that its weight is. */
export interface PatternLayer {
  readonly layer: number;
  readonly layout: GroupLayout;
  /** Along which the groups lie, in the stored tensor. */
  readonly axis: number;
  readonly tensor: ChannelTensor;
}

export interface SearchPlan {
  readonly sets: readonly SearchSet[];
  /** Layers whose input channels may move or not. */
  readonly layers: readonly PatternLayer[];
  readonly left: readonly { readonly id: LayerId; readonly reason: string }[];
}

/**
 * The sets to search for the weights of a model.
 * @param untouched why a layer is left dense or has no score, by its index; null for those that get the pattern.
 */
export function searchPlan(
  { tensors }: Channels,
  weights: readonly PrunableWeight[],
  pattern: NofM,
  untouched: readonly (string | null)[],
): SearchPlan {
  const names = setNames(tensors, weights);
  const columns = new Map<ChannelSet, Columns[]>();
  const layers: PatternLayer[] = [];
  const left: { id: LayerId; reason: string }[] = [];
  for (const [layer, weight] of weights.entries()) {
    const { layout, reason } = patternFit(weight, pattern);
    const why = untouched[layer] ?? (layout === null ? reason : null);
    const tensor = tensors.get(storageKey(weight.tensor));
    const [axis] = weight.roles.in;
    if (why !== null || layout === null || tensor === undefined || axis === undefined) {
      left.push({ id: weight.id, reason: why ?? "its elements have no place of their own in the file" });
      continue;
    }
    layers.push({ layer, layout, axis, tensor });
    const order = tensor.axes[axis] ?? null;
    const runs: readonly Segments[] = order === null ? [] : isDependent(order) ? order.parts : [order];
    let found = false;
    for (const [part, run] of runs.entries()) {
      let first = 0;
      for (const { set, inner } of run) {
        const whole = inner === 1 && first % pattern.m === 0 && set.count % pattern.m === 0;
        if (whole && set.reason === null && set.count > pattern.m) {
          const list = columns.get(set) ?? [];
          list.push({ layer, layout, first, part, parts: runs.length });
          columns.set(set, list);
          found = true;
        }
        first += set.count * inner;
      }
    }
    if (!found) left.push({ id: weight.id, reason: reasonOf(setsOf(order), pattern) });
  }
  const sets = [...columns].map(([set, own]) => ({ name: names.get(set)!, set, columns: own }));
  return { sets, layers, left };
}

/** Why no channel of these sets is asked for a better place. */
function reasonOf(sets: readonly ChannelSet[], { m }: NofM): string {
  const reason = sets[0]?.reason ?? null;
  if (sets.length === 0 || (sets.length === 1 && sets[0]!.count <= m)) return `it has one group of ${m} inputs`;
  if (reason !== null && sets.every((set) => set.reason !== null)) return reason;
  return `the channels that may move do not fill groups of ${m}`;
}

/** A name for every set, of the layer that makes it, else of the tensor that it is first met in. */
function setNames(
  tensors: ReadonlyMap<string, ChannelTensor>,
  weights: readonly PrunableWeight[],
): ReadonlyMap<ChannelSet, string> {
  const names = new Map<ChannelSet, string>();
  const taken = new Set<string>();
  const name = (sets: readonly ChannelSet[], base: string): void => {
    for (const set of sets) {
      if (set.reason !== null || names.has(set)) continue;
      let unique = base;
      for (let n = 2; taken.has(unique); n++) unique = `${base}#${n}`;
      taken.add(unique);
      names.set(set, unique);
    }
  };
  for (const { id, tensor, roles } of weights) {
    const axes = tensors.get(storageKey(tensor))?.axes ?? [];
    for (const axis of roles.out) name(setsOf(axes[axis] ?? null), id);
  }
  for (const { constant, axes } of tensors.values()) name(axes.flatMap(setsOf), constant.name);
  return names;
}
