/** Operators that move elements and leave channels whole: what lies along other axes, or keeps its length, stays as it is. */
import { intAttribute, intsAttribute } from "../../graph.js";
import { type ChannelRule, unfitting } from "../rule.js";
import { type Axis, isDependent } from "../axes.js";
import { ChannelSet, positions, type Segment } from "../sets.js";

const normal = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const transpose: ChannelRule = {
  operators: ["Transpose"],
  apply: (site) => {
    const rank = site.shape(0)?.length;
    if (rank === undefined) return unfitting;
    const perm = intsAttribute(site.node, "perm") ?? Array.from({ length: rank }, (_, k) => rank - 1 - k);
    if (perm.length !== rank || new Set(perm).size !== rank || perm.some((axis) => axis < 0 || axis >= rank))
      return unfitting;
    const places = perm.map((_, k) => perm.indexOf(k));
    site.give(0, site.carry(0, places, rank));
    return null;
  },
};

/** Copies along axes that become longer. */
export const repetition: ChannelRule = {
  operators: ["Expand", "Tile"],
  apply: (site) => {
    const from = site.shape(0);
    const to = site.outputShape();
    if (from === null || to === null || from.length > to.length) return unfitting;
    const places = from.map((length, k) => {
      const place = k + to.length - from.length;
      return to[place] === length ? place : -1;
    });
    site.give(0, site.carry(0, places, to.length));
    return null;
  },
};

export const slice: ChannelRule = {
  operators: ["Slice"],
  apply: (site) => {
    const shape = site.shape(0);
    const given = site.list("axes", 3) ?? (site.has(3) ? null : site.list("starts", 1)?.map((_, k) => k));
    if (shape === null || given == null) return unfitting;
    const cut = new Set(given.map((axis) => normal(axis, shape.length)));
    site.give(
      0,
      site.carryAll(0, (axis) => !cut.has(axis)),
    );
    return null;
  },
};

export const split: ChannelRule = {
  operators: ["Split"],
  apply: (site) => {
    const rank = site.shape(0)?.length;
    if (rank === undefined) return unfitting;
    const along = normal(intAttribute(site.node, "axis", 0), rank);
    const axes = site.carryAll(0, (axis) => axis !== along);
    site.node.outputs.forEach((_, output) => {
      site.give(output, axes);
    });
    return null;
  },
};

export const gather: ChannelRule = {
  operators: ["Gather"],
  apply: (site) => {
    const data = site.shape(0);
    const indices = site.shape(1);
    if (data === null || indices === null) return unfitting;
    const along = normal(intAttribute(site.node, "axis", 0), data.length);
    const places = data.map((_, k) => (k < along ? k : k === along ? -1 : k + indices.length - 1));
    site.give(0, site.carry(0, places, data.length + indices.length - 1));
    return null;
  },
};

/** Parts one behind the other: each keeps an order of its own. */
export const concat: ChannelRule = {
  operators: ["Concat"],
  apply: (site) => {
    const shapes = site.node.inputs.map((_, i) => site.shape(i));
    const rank = shapes[0]?.length;
    if (rank === undefined || !shapes.every((shape): shape is readonly number[] => shape?.length === rank))
      return unfitting;
    const along = normal(intAttribute(site.node, "axis", 1), rank);
    let axes: Axis[] | null = null;
    const parts: Segment[] = [];
    for (const [i, shape] of shapes.entries()) {
      const own = site.carryAll(i);
      const part = own[along] ?? null;
      if (part !== null && !isDependent(part) && positions(part) === shape[along]) {
        parts.push(...part);
      } else {
        site.fix(part);
        parts.push({ set: new ChannelSet(shape[along]!, `a part of ${site.label} keeps its order`), inner: 1 });
      }
      axes =
        axes === null
          ? own
          : axes.map((axis, k) => (k === along || shape[k] === 1 ? axis : site.join(axis, own[k] ?? null)));
    }
    site.give(
      0,
      axes!.map((axis, k) => (k === along ? parts : axis)),
    );
    return null;
  },
};

/** They look at shapes only. */
export const ofShapes: ChannelRule = {
  operators: ["Shape", "Size"],
  apply: (site) => {
    site.shape(0)?.forEach((_, axis) => site.take(0, axis));
    site.give(0, site.outputShape()?.map(() => null) ?? []);
    return null;
  },
};
