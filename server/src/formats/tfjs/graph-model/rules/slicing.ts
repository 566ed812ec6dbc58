/** Parts of tensors: ranges along axes, forwards and backwards. */
import type { Value } from "../../../../graph/builder.js";
import type { Lowered } from "../../lowering/lowered.js";
import { frontAxis, type OpRule, type OpSite, ranked, type Shape, Unlowered } from "../rule.js";

/** Further than any axis reaches. */
const far = 2 ** 31 - 1;

/** A bound: a number, or an element of an input, which is computed. */
type Bound = number | { readonly input: number; readonly at: number };

interface Range {
  readonly axis: number;
  readonly begin: Bound;
  readonly end: Bound;
  readonly step: number;
}

export const slice: OpRule = {
  ops: ["Slice"],
  lower: (site) => {
    const { inputs, known } = site;
    const begins = bounds(site, 1);
    const sizes = bounds(site, 2);
    const x = inputs[0]!.shape === null ? ranked(inputs[0]!, begins.length) : inputs[0]!;
    if (
      sizes.some((size, i) => typeof size !== "number" && begins[i] !== 0) ||
      begins.some((b) => typeof b !== "number")
    )
      return [computedSlice(site, x, known(0)?.values.length ?? begins.length)];
    const ranges = begins.map((begin, axis): Range => {
      const size = sizes[axis]!;
      // From 0 on a size is an end.
      const end = typeof size !== "number" ? size : size < 0 ? far : (begin as number) + size;
      return { axis, begin, end, step: 1 };
    });
    return [sliced(site, x, ranges)];
  },
};

/** Begin and size are both computed. */
function computedSlice({ lowering, inputs }: OpSite, x: Lowered, rank: number): Lowered {
  const [begin, size] = [1, 2].map((index) => lowering.cast(lowering.lastValue(inputs[index]!), "int64"));
  const zero = lowering.literal("int64", [], [0]);
  const whole = lowering.op("Less", [size!, zero]);
  const end = lowering.op("Where", [whole, lowering.literal("int64", [], [far]), lowering.op("Add", [begin!, size!])]);
  const axes = lowering.ints(Array.from({ length: rank }, (_, axis) => axis));
  const value = lowering.op("Slice", [lowering.lastValue(x), begin!, end, axes]);
  return lowering.plain(
    value,
    Array.from({ length: rank }, () => null),
  );
}

export const stridedSlice: OpRule = {
  ops: ["StridedSlice"],
  lower: (site) => {
    const { lowering, node, inputs, constant } = site;
    const steps = constant(3);
    const [begins, ends] = [bounds(site, 1), bounds(site, 2)];
    const mask =
      (name: string) =>
      (i: number): boolean =>
        ((node.int(`${name}_mask`, 0) >> i) & 1) === 1;
    const [beginOpen, endOpen, ellipsis] = [mask("begin"), mask("end"), mask("ellipsis")];
    const [isNew, shrinks] = [mask("new_axis"), mask("shrink_axis")];
    const { shape } = inputs[0]!;
    const entries = [...steps.keys()];
    const at = entries.findIndex(ellipsis);
    // Axes behind an ellipsis are counted from the end.
    const places = entries.map((i) =>
      at < 0 || i < at
        ? entries.slice(0, i).filter((j) => !isNew(j)).length
        : -entries.slice(i).filter((j) => !isNew(j)).length,
    );
    const ranges: Range[] = [];
    const gone: number[] = [];
    for (const i of entries) {
      if (ellipsis(i) || isNew(i)) continue;
      const axis = shape === null ? places[i]! : frontAxis(places[i]!, shape);
      const step = steps[i]!;
      if (shrinks(i)) {
        gone.push(axis);
        ranges.push({ axis, begin: begins[i]!, end: after(begins[i]!), step: 1 });
      } else {
        const begin = beginOpen(i) ? (step > 0 ? 0 : far) : begins[i]!;
        const end = endOpen(i) ? (step > 0 ? far : -far) : ends[i]!;
        if (begin !== 0 || end !== far || step !== 1) ranges.push({ axis, begin, end, step });
      }
    }
    const part = sliced(site, inputs[0]!, ranges);
    const stays = (i: number): boolean => isNew(i) || (!shrinks(i) && !ellipsis(i));
    const added = entries
      .filter(isNew)
      .map((i) =>
        at < 0 || i < at ? entries.slice(0, i).filter(stays).length : -entries.slice(i).filter(stays).length,
      );
    if (gone.length === 0 && added.length === 0) return [part];
    let value = lowering.lastValue(part);
    if (gone.length > 0) value = lowering.op("Squeeze", [value, lowering.ints(gone)]);
    if (added.length > 0) value = lowering.op("Unsqueeze", [value, lowering.ints(added)]);
    return [lowering.plain(value, shapeAfter(part.shape, gone, added))];
  },
};

/** The element right behind a bound that is one itself. */
function after(bound: Bound): Bound {
  if (typeof bound !== "number") throw new Unlowered("which element it takes is computed while the model runs");
  return bound === -1 ? far : bound + 1;
}

function shapeAfter(shape: Shape, gone: readonly number[], added: readonly number[]): Shape {
  if (shape === null) return null;
  const left = shape.filter((_, axis) => !gone.includes(axis));
  const rank = left.length + added.length;
  const ones = new Set(added.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = left.values();
  return Array.from({ length: rank }, (_, axis) => (ones.has(axis) ? 1 : (rest.next().value ?? null)));
}

export const reverse: OpRule = {
  ops: ["ReverseV2"],
  lower: (site) => [
    sliced(
      site,
      site.inputs[0]!,
      site.constant(1).map((axis) => ({ axis, begin: far, end: -far, step: -1 })),
    ),
  ],
};

/** The bounds in an input: numbers where they are known. */
function bounds({ inputs, known }: OpSite, input: number): Bound[] {
  const values = known(input)?.values ?? inputs[input]?.shape;
  const length = known(input)?.values.length ?? inputs[input]?.shape?.[0];
  if (values == null || length == null) throw new Unlowered(`how many bounds it has is not known`);
  return Array.from({ length }, (_, at) => known(input)?.values[at] ?? { input, at });
}

function sliced(site: OpSite, x: Lowered, ranges: readonly Range[]): Lowered {
  const { lowering } = site;
  if (ranges.length === 0) return x;
  const column = (pick: (range: Range) => Bound): Value => {
    const picked = ranges.map(pick);
    if (picked.every((bound) => typeof bound === "number")) return lowering.ints(picked);
    return lowering.op(
      "Concat",
      picked.map((bound) => (typeof bound === "number" ? lowering.ints([bound]) : element(site, bound))),
      { axis: 0 },
    );
  };
  const axes = ranges.map(({ axis }) => lowering.axis(x, axis));
  const value = lowering.op("Slice", [
    x.value,
    column(({ begin }) => begin),
    column(({ end }) => end),
    lowering.ints(axes),
    lowering.ints(ranges.map(({ step }) => step)),
  ]);
  const shape = x.shape?.map((dim, axis) => {
    const range = ranges.find((one) => (one.axis < 0 ? one.axis + x.shape!.length : one.axis) === axis);
    return range === undefined ? dim : lengthOf(range, dim);
  });
  return { value, layout: x.layout, shape: shape ?? null };
}

/** An element of an input as a list of one int64. */
function element({ lowering, inputs }: OpSite, { input, at }: { input: number; at: number }): Value {
  const list = lowering.cast(lowering.lastValue(inputs[input]!), "int64");
  return lowering.op("Slice", [list, lowering.ints([at]), lowering.ints([at + 1])]);
}

function lengthOf({ begin, end, step }: Range, dim: number | null): number | null {
  if (dim === null || typeof begin !== "number" || typeof end !== "number") return null;
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1];
  const inside = (at: number): number => Math.min(Math.max(at < 0 ? at + dim : at, low), high);
  return Math.max(0, Math.ceil((inside(end) - inside(begin)) / step));
}
