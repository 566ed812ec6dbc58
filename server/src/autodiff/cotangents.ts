/**
 * Cotangents of values while a graph is walked backwards: contributions are collected, and summed once when the value's
 * producer is reached.
 */
import type { GraphBuilder, Value } from "../graph/builder.js";
import type { ValueTypes } from "../graph/value-type.js";
import { NoGradient } from "./rule.js";

interface Contribution {
  readonly value: Value;
  /** Its shape where that is the broadcast one; null = the value's own. */
  readonly shape: readonly number[] | null;
}

export class Cotangents {
  readonly #contributions = new Map<Value, Contribution[]>();
  readonly #totals = new Map<Value, Value>();

  constructor(
    readonly b: GraphBuilder,
    readonly types: ValueTypes,
  ) {}

  /** Adds what one use of `of` contributes; `shape` is that of `value` when it may have to be summed to that of `of`. */
  add(of: Value, value: Value, shape: readonly number[] | null): void {
    const list = this.#contributions.get(of);
    if (list === undefined) this.#contributions.set(of, [{ value, shape }]);
    else list.push({ value, shape });
  }

  has(of: Value): boolean {
    return this.#contributions.has(of);
  }

  /** The sum of all contributions, in the shape of `of`. Nothing may be added afterwards. */
  total(of: Value): Value {
    const known = this.#totals.get(of);
    if (known !== undefined) return known;
    const groups = new Map<string, { shape: readonly number[] | null; values: Value[] }>();
    for (const { value, shape } of this.#contributions.get(of) ?? []) {
      const target = shape === null ? null : this.#shape(of);
      const same = shape === null || (shape.length === target!.length && shape.every((dim, i) => dim === target![i]));
      const key = same ? "" : shape.join();
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { shape: same ? null : shape, values: [value] });
      else group.values.push(value);
    }
    const parts = [...groups.values()].map(({ shape, values }) => {
      const sum = this.b.sum(values);
      return shape === null ? sum : unbroadcast(this.b, sum, shape, this.#shape(of));
    });
    const total = this.b.sum(parts);
    this.#totals.set(of, total);
    return total;
  }

  #shape(of: Value): readonly number[] {
    const shape = this.types.get(of)?.shape ?? null;
    if (shape === null) throw new NoGradient(`the shape of "${of}" depends on data`);
    return shape;
  }
}

/** Sums `value` of shape `from` over the axes along which `to` was broadcast to it. */
export function unbroadcast(b: GraphBuilder, value: Value, from: readonly number[], to: readonly number[]): Value {
  const added = from.length - to.length;
  const axes = from.flatMap((dim, i) => (i < added || (to[i - added] === 1 && dim !== 1) ? [i] : []));
  if (axes.length === 0) return value;
  const sum = b.reduceSum(value, axes);
  return axes.length === added ? sum : b.reshape(sum, to);
}
