/**
 * Small tensors whose elements are known before the model runs, all or some of them: constants, and what follows from
 * them and from shapes. Targets of Reshape, bounds of slices and sizes of images are computed so in TensorFlow graphs,
 * with nothing but the batch left open.
 */
import type { DType } from "../../../../protocol/model.js";
import type { NodeDef } from "./node-def.js";
import type { Shape } from "./rule.js";

/** A scalar or a list; null is an element that is not known. */
export interface Known {
  readonly rank: 0 | 1;
  readonly values: readonly (number | null)[];
}

/** Most elements of what is followed. */
export const mostKnown = 64;

/** What evaluation sees of a node. */
export interface Evaluation {
  readonly node: NodeDef;
  readonly inputs: readonly (Known | null)[];
  readonly shapes: readonly Shape[];
  /** Element type of the first input. */
  readonly dtype: DType;
}

type Evaluate = (evaluation: Evaluation) => Known | null;

const list = (values: readonly (number | null)[]): Known => ({ rank: 1, values });
const scalar = (value: number | null): Known => ({ rank: 0, values: [value] });

/** An operator on corresponding elements; lists of one length, or scalars against them. */
const each =
  (work: (a: number, b: number, dtype: DType) => number): Evaluate =>
  ({ inputs: [a, b], dtype }) => {
    if (a == null || b == null) return null;
    const length = Math.max(a.values.length, b.values.length);
    if (![a, b].every(({ values }) => values.length === 1 || values.length === length)) return null;
    const values = Array.from({ length }, (_, i) => {
      const [x, y] = [a, b].map((known) => known.values[known.values.length === 1 ? 0 : i]!);
      return x == null || y == null ? null : rounded(work(x, y, dtype), dtype);
    });
    return { rank: a.rank === 0 && b.rank === 0 ? 0 : 1, values };
  };

const unary =
  (work: (a: number) => number): Evaluate =>
  ({ inputs: [a], dtype }) =>
    a == null
      ? null
      : { rank: a.rank, values: a.values.map((value) => (value === null ? null : rounded(work(value), dtype))) };

/** A result as the element type holds it. */
const rounded = (value: number, dtype: DType): number =>
  dtype === "float" ? Math.fround(value) : dtype === "int32" ? Math.trunc(value) | 0 : value;

const same: Evaluate = ({ inputs }) => inputs[0] ?? null;

const shapeOf: Evaluate = ({ shapes: [shape] }) => (shape == null ? null : list(shape));

/** One element out of a list, or some of them. */
function taken(from: Known | null | undefined, begin: number, end: number, step: number): (number | null)[] | null {
  if (from?.rank !== 1) return null;
  const { values } = from;
  const inside = (at: number): number => Math.min(Math.max(at < 0 ? at + values.length : at, 0), values.length);
  const made: (number | null)[] = [];
  if (step <= 0) return null;
  for (let i = inside(begin); i < inside(end); i += step) made.push(values[i]!);
  return made;
}

const whole = (known: Known | null | undefined): readonly number[] | null =>
  known == null || known.values.includes(null) ? null : (known.values as readonly number[]);

const evaluators: Readonly<Record<string, Evaluate>> = {
  Add: each((a, b) => a + b),
  AddV2: each((a, b) => a + b),
  Cast: ({ node, inputs: [a] }) => {
    if (a == null) return null;
    const to = node.type("DstT");
    const cast = (value: number): number =>
      to === "DT_BOOL" ? Number(value !== 0) : /INT/.test(to) ? Math.trunc(value) : value;
    return { rank: a.rank, values: a.values.map((value) => (value === null ? null : cast(value))) };
  },
  Ceil: unary(Math.ceil),
  ConcatV2: ({ inputs }) => {
    const parts = inputs.slice(0, -1);
    return parts.every((part) => part?.rank === 1) ? list(parts.flatMap((part) => part!.values)) : null;
  },
  Equal: each((a, b) => Number(a === b)),
  ExpandDims: ({ inputs: [a] }) => (a?.rank === 0 ? list(a.values) : null),
  Fill: ({ inputs: [dims, value] }) => {
    const length = whole(dims);
    return value?.rank === 0 && length?.length === 1 && length[0]! <= mostKnown
      ? list(Array.from({ length: length[0]! }, () => value.values[0]!))
      : null;
  },
  Floor: unary(Math.floor),
  FloorDiv: each((a, b) => Math.floor(a / b)),
  FloorMod: each((a, b) => a - Math.floor(a / b) * b),
  GatherV2: ({ inputs: [from, at] }) => {
    const places = whole(at);
    if (from?.rank !== 1 || at == null || places === null) return null;
    const values = places.map((place) => from.values[place] ?? null);
    return { rank: at.rank, values };
  },
  Greater: each((a, b) => Number(a > b)),
  GreaterEqual: each((a, b) => Number(a >= b)),
  Identity: same,
  Less: each((a, b) => Number(a < b)),
  LessEqual: each((a, b) => Number(a <= b)),
  LogicalAnd: each((a, b) => Number(a !== 0 && b !== 0)),
  LogicalNot: unary((a) => Number(a === 0)),
  LogicalOr: each((a, b) => Number(a !== 0 || b !== 0)),
  Maximum: each((a, b) => Math.max(a, b)),
  Minimum: each((a, b) => Math.min(a, b)),
  Mul: each((a, b) => a * b),
  Neg: unary((a) => -a),
  NotEqual: each((a, b) => Number(a !== b)),
  Pack: ({ inputs }) =>
    inputs.every((input) => input?.rank === 0) ? list(inputs.map((input) => input!.values[0]!)) : null,
  Prod: ({ inputs: [a] }) => {
    const values = whole(a);
    return values === null || a?.rank !== 1 ? null : scalar(values.reduce((product, value) => product * value, 1));
  },
  Range: ({ inputs }) => {
    const [start, limit, delta] = inputs.map((input) => whole(input)?.[0]);
    if (start === undefined || limit === undefined || !delta) return null;
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    return length > mostKnown ? null : list(Array.from({ length }, (_, i) => start + i * delta));
  },
  Rank: ({ shapes: [shape] }) => (shape == null ? null : scalar(shape.length)),
  RealDiv: each((a, b, dtype) => (dtype === "float" ? a / b : Math.floor(a / b))),
  Reshape: ({ inputs: [a, target] }) => {
    const shape = whole(target);
    if (a == null || shape === null || shape.length > 1) return null;
    return { rank: shape.length as 0 | 1, values: a.values };
  },
  Shape: shapeOf,
  Size: ({ shapes: [shape] }) =>
    shape == null || shape.includes(null) ? null : scalar((shape as number[]).reduce((size, dim) => size * dim, 1)),
  Slice: ({ inputs: [from, begin, size] }) => {
    const [start, length] = [whole(begin)?.[0], whole(size)?.[0]];
    if (start === undefined || length === undefined) return null;
    const values = taken(from, start, length < 0 ? Infinity : start + length, 1);
    return values === null ? null : list(values);
  },
  Squeeze: ({ inputs: [a] }) => (a?.rank === 1 && a.values.length === 1 ? scalar(a.values[0]!) : null),
  StridedSlice: ({ node, inputs: [from, begin, end, strides] }) => {
    const [start, stop, step] = [begin, end, strides].map((input) => whole(input));
    if (start?.length !== 1 || stop?.length !== 1 || step?.length !== 1) return null;
    if (["new_axis_mask", "ellipsis_mask"].some((mask) => node.int(mask, 0) !== 0)) return null;
    if (node.int("shrink_axis_mask", 0) !== 0) {
      const values = from?.rank === 1 ? from.values : [];
      const at = start[0]! < 0 ? start[0]! + values.length : start[0]!;
      return at < values.length && at >= 0 ? scalar(values[at]!) : null;
    }
    const values = taken(
      from,
      node.int("begin_mask", 0) !== 0 ? 0 : start[0]!,
      node.int("end_mask", 0) !== 0 ? Infinity : stop[0]!,
      step[0]!,
    );
    return values === null ? null : list(values);
  },
  Sub: each((a, b) => a - b),
};

/** Elements of the first output of a node; null where nothing is known of them, or they are many. */
export function evaluate(evaluation: Evaluation): Known | null {
  const { op } = evaluation.node;
  const made = Object.hasOwn(evaluators, op) ? evaluators[op]!(evaluation) : null;
  return made !== null && made.values.length <= mostKnown ? made : null;
}
