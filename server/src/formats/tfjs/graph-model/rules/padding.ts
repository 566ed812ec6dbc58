/** Elements added before and after each axis. */
import type { Value } from "../../../../graph/builder.js";
import type { Lowered } from "../../lowering/lowered.js";
import { type OpRule, type OpSite, ranked, type Shape, Unlowered } from "../rule.js";

interface Widths {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export const pad: OpRule = {
  ops: ["Pad", "PadV2"],
  lower: (site) => {
    const { lowering, inputs } = site;
    const fillers = inputs[2] === undefined ? [] : [lowering.lastValue(inputs[2])];
    const widths = widthsOf(site);
    if (widths === null) return [computedPad(site, fillers)];
    const x = ranked(inputs[0]!, widths.before.length);
    if ([...widths.before, ...widths.after].every((width) => width === 0)) return [x];
    const [before, after] = [inValue(site, x, widths.before), inValue(site, x, widths.after)];
    const value = lowering.op("Pad", [x.value, lowering.ints([...before, ...after]), ...fillers]);
    return [{ value, layout: x.layout, shape: padded(x.shape, widths) }];
  },
};

/** Edges mirrored: without the edge itself (`REFLECT`), or with it (`SYMMETRIC`), which ONNX has no word for. */
export const mirrorPad: OpRule = {
  ops: ["MirrorPad"],
  lower: (site) => {
    const { lowering, node, inputs } = site;
    const widths = widthsOf(site);
    if (widths === null) throw new Unlowered("how much it adds is computed while the model runs");
    const x = ranked(inputs[0]!, widths.before.length);
    if (node.text("mode", "REFLECT").toUpperCase() === "SYMMETRIC") return [symmetric(site, x, widths)];
    const [before, after] = [inValue(site, x, widths.before), inValue(site, x, widths.after)];
    const value = lowering.op("Pad", [x.value, lowering.ints([...before, ...after])], { mode: "reflect" });
    return [{ value, layout: x.layout, shape: padded(x.shape, widths) }];
  },
};

function symmetric({ lowering }: OpSite, x: Lowered, { before, after }: Widths): Lowered {
  let { value } = x;
  before.forEach((first, i) => {
    const last = after[i]!;
    const axis = lowering.axis(x, i);
    const backwards = (start: number, end: number): Value =>
      lowering.op("Slice", [
        value,
        lowering.ints([start]),
        lowering.ints([end]),
        lowering.ints([axis]),
        lowering.ints([-1]),
      ]);
    const parts = [
      ...(first > 0 ? [backwards(first - 1, -(2 ** 31))] : []),
      value,
      ...(last > 0 ? [backwards(-1, -last - 1)] : []),
    ];
    if (parts.length > 1) value = lowering.op("Concat", parts, { axis });
  });
  return { value, layout: x.layout, shape: padded(x.shape!, { before, after }) };
}

/** Widths [[before, after], …] of every axis; null where they are computed. */
function widthsOf({ lowering, inputs, known }: OpSite): Widths | null {
  const given = inputs[1]!;
  const values = known(1)?.values ?? lowering.numbers(given);
  if (values === null || values.includes(null)) return null;
  const all = values as readonly number[];
  return { before: all.filter((_, i) => i % 2 === 0), after: all.filter((_, i) => i % 2 === 1) };
}

function computedPad({ lowering, inputs }: OpSite, fillers: readonly Value[]): Lowered {
  const rows = lowering.cast(lowering.lastValue(inputs[1]!), "int64");
  const widths = lowering.op("Reshape", [lowering.transposed(rows, [1, 0]), lowering.ints([-1])]);
  const value = lowering.op("Pad", [lowering.lastValue(inputs[0]!), widths, ...fillers]);
  return lowering.plain(value, inputs[0]!.shape?.map(() => null) ?? null);
}

/** One number for each axis of tfjs, in the order of the value's axes. */
function inValue({ lowering }: OpSite, x: Lowered, widths: readonly number[]): number[] {
  const moved = widths.map(() => 0);
  widths.forEach((width, axis) => (moved[lowering.axis(x, axis)] = width));
  return moved;
}

const padded = (shape: NonNullable<Shape>, { before, after }: Widths): Shape =>
  shape.map((dim, axis) => (dim === null ? null : dim + before[axis]! + after[axis]!));
