/**
 * Einsum over two tensors, as a product of matrices wherever it is one: axes of both that stay are the batch, axes of
 * both that go are summed over. Its weights are weights of a MatMul then, and it has a gradient.
 */
import type { Value } from "../../../../graph/builder.js";
import type { Lowered } from "../../lowering/lowered.js";
import type { Lowering } from "../../lowering/lowering.js";
import { type OpRule, type OpSite, Unlowered } from "../rule.js";

export const einsum: OpRule = {
  ops: ["Einsum"],
  lower: (site) => {
    const { lowering, node, inputs } = site;
    const equation = node.text("equation", "").replaceAll(" ", "");
    const made = asProduct(site, equation);
    if (made !== null) return [made];
    if (!/^[a-zA-Z.]*(,[a-zA-Z.]*)*->[a-zA-Z.]*$/.test(equation))
      throw new Unlowered(`its equation is ${JSON.stringify(equation)}`);
    const values = inputs.map((input) => lowering.lastValue(input));
    const result = equation.split("->")[1]!;
    const shape = result.includes(".") ? null : Array.from(result, () => null);
    return [lowering.plain(lowering.op("Einsum", values, { equation }), shape)];
  },
};

function asProduct({ lowering, inputs }: OpSite, equation: string): Lowered | null {
  const match = /^([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]*)$/.exec(equation);
  const [a, b] = inputs;
  if (match === null || a === undefined || b === undefined) return null;
  const [left, right, result] = match.slice(1) as [string, string, string];
  if ([left, right, result].some((axes) => new Set(axes).size !== axes.length)) return null;
  const lengths = new Map<string, number | null>();
  for (const [axes, { shape }] of [[left, a] as const, [right, b] as const])
    Array.from(axes, (axis, i) => lengths.set(axis, lengths.get(axis) ?? shape?.[i] ?? null));
  const pick = (axes: string, keep: (axis: string) => boolean): string => Array.from(axes).filter(keep).join("");
  const summed = pick(left, (axis) => right.includes(axis) && !result.includes(axis));
  const batch = pick(result, (axis) => left.includes(axis) && right.includes(axis));
  const rows = pick(result, (axis) => left.includes(axis) && !right.includes(axis));
  const columns = pick(result, (axis) => right.includes(axis) && !left.includes(axis));
  const all = batch.length + rows.length + summed.length;
  if (summed === "" || left.length !== all || right.length !== batch.length + summed.length + columns.length)
    return null;
  // With a batch on both sides MatMul wants one axis of rows and one of columns; without, rows may be any number of axes.
  if (batch !== "" && (rows.length !== 1 || columns === "")) return null;
  const dims = (axes: string): (number | null)[] => Array.from(axes, (axis) => lengths.get(axis)!);
  const first = merged(lowering, turned(lowering, a, left, batch + rows + summed), (batch + rows).length, [
    dims(summed),
  ]);
  const second = merged(lowering, turned(lowering, b, right, batch + summed + columns), batch.length, [
    dims(summed),
    dims(columns),
  ]);
  if (first === null || second === null) return null;
  let value = lowering.op("MatMul", [first, second]);
  if (columns.length > 1) {
    const open = dims(batch + rows).map(() => 0);
    const wide = dims(columns);
    if (wide.includes(null)) return null;
    value = lowering.reshaped(value, [...open, ...(wide as number[])]);
  }
  const order = batch + rows + columns;
  const perm = Array.from(result, (axis) => order.indexOf(axis));
  return lowering.plain(lowering.transposed(value, perm), dims(result));
}

const turned = (lowering: Lowering, x: Lowered, from: string, to: string): Value =>
  lowering.transposed(
    lowering.lastValue(x),
    Array.from(to, (axis) => from.indexOf(axis)),
  );

/**
 * `value` with groups of axes, whose lengths are given, as one axis each, behind the first `kept` ones; null where more
 * than one length is not known.
 */
function merged(lowering: Lowering, value: Value, kept: number, groups: readonly (number | null)[][]): Value | null {
  if (groups.every((group) => group.length <= 1)) return value;
  const lengths = groups
    .filter((group) => group.length > 0)
    .map((group) => (group.includes(null) ? null : (group as number[]).reduce((length, dim) => length * dim, 1)));
  if (lengths.filter((length) => length === null).length > 1) return null;
  return lowering.reshaped(value, [...Array.from({ length: kept }, () => 0), ...lengths]);
}
