/**
 * One node as a rule sees it: its inputs' axes, and what it gives out. What a rule does not take stays in its order, and a
 * node whose outputs a rule does not give keeps all of its inputs in theirs: nothing moves that no rule has spoken for.
 */
import { type Constant, intsAttribute, type Node, nodeLabel, operatorLabel } from "../graph.js";
import { literalValues } from "../literal.js";
import { type Axis, fixAxis, fixedSignal, isDependent, joinAxes, lengthOf, type Signal } from "./axes.js";

/** What is around a node. */
export interface Surroundings {
  readonly opset: number;
  readonly signalOf: (value: string) => Signal | null;
  readonly constantOf: (value: string) => Constant | null;
  readonly shapeOf: (value: string) => readonly number[] | null;
}

export class Site {
  readonly label: string;
  readonly #taken = new Set<string>();
  readonly #given = new Map<number, readonly Axis[]>();

  constructor(
    readonly node: Node,
    private readonly around: Surroundings,
  ) {
    this.label = `${operatorLabel(node)} "${nodeLabel(node)}"`;
  }

  /** Of the node's own domain. */
  get opset(): number {
    return this.around.opset;
  }

  /** Reason of two axes that could not be made one. */
  get #clash(): string {
    return `${this.label} joins it with something of another order`;
  }

  has(input: number): boolean {
    return (this.node.inputs[input] ?? "") !== "";
  }

  /** Shape of an input; null where it is absent or not known. */
  shape(input: number): readonly number[] | null {
    return this.has(input) ? (this.around.signalOf(this.node.inputs[input]!)?.shape ?? null) : null;
  }

  outputShape(output = 0): readonly number[] | null {
    return this.around.shapeOf(this.node.outputs[output] ?? "");
  }

  /** Numbers of an input that is a small constant; null for others. */
  numbers(input: number): readonly number[] | null {
    const constant = this.has(input) ? this.around.constantOf(this.node.inputs[input]!) : null;
    return constant === null ? null : literalValues(constant);
  }

  /** A list that is an attribute in older operator sets and a constant input in newer ones; null when it is neither. */
  list(attribute: string, input: number): readonly number[] | null {
    return intsAttribute(this.node, attribute) ?? this.numbers(input);
  }

  /** The order of an input's axis, which the rule speaks for from now on. */
  take(input: number, axis: number): Axis {
    this.#taken.add(`${input} ${axis}`);
    return this.#axesOf(input)[axis] ?? null;
  }

  /** Makes axes move as one. */
  join(first: Axis, ...others: readonly Axis[]): Axis {
    return others.reduce((all, other) => joinAxes(all, other, this.#clash), first);
  }

  /** Keeps an axis in its order. */
  fix(axis: Axis): void {
    fixAxis(axis, `${this.label} works along it`);
  }

  /** The axes of an input at other places: `places[k]` is where its axis k goes, or -1 where it is not carried. */
  carry(input: number, places: readonly number[], rank: number): Axis[] {
    const axes: Axis[] = Array.from({ length: rank }, () => null);
    const own = this.#axesOf(input);
    for (const [k, place] of places.entries()) {
      const axis = own[k] ?? null;
      if (place < 0) continue;
      if (!isDependent(axis)) axes[place] = this.take(input, k);
      else if ((places[axis.by] ?? -1) >= 0) {
        this.take(input, k);
        axes[place] = { by: places[axis.by]!, parts: axis.parts };
      }
    }
    return axes;
  }

  /** The axes of an input as they are, but for those that are not kept. */
  carryAll(input: number, keep: (axis: number) => boolean = () => true): Axis[] {
    const rank = this.shape(input)?.length ?? 0;
    const places = Array.from({ length: rank }, (_, k) => (keep(k) ? k : -1));
    return this.carry(input, places, rank);
  }

  /** The axes of inputs that are broadcast against each other; null where ranks are not known. */
  broadcast(inputs: readonly number[], rank: number): Axis[] | null {
    const axes: (Axis | undefined)[] = Array.from({ length: rank }, () => undefined);
    for (const input of inputs) {
      const shape = this.shape(input);
      if (shape === null || shape.length > rank) return null;
      const offset = rank - shape.length;
      const places = shape.map((_, k) => k + offset);
      const own = this.carry(input, places, rank);
      shape.forEach((length, k) => {
        if (length === 1) return;
        const place = k + offset;
        axes[place] = axes[place] === undefined ? own[place]! : this.join(axes[place], own[place]!);
      });
    }
    return axes.map((axis) => axis ?? null);
  }

  /** States the axes of an output. */
  give(output: number, axes: readonly Axis[]): void {
    this.#given.set(output, axes);
  }

  /** Keeps everything that goes in in its order, but for what the rule took when it went well. */
  finish(refusal: string | null): ReadonlyMap<string, Signal | null> {
    const made = new Map<string, Signal | null>();
    const missing = this.node.outputs.some((name, i) => name !== "" && !this.#given.has(i));
    const reason = refusal === null ? `${this.label} works along it` : `${this.label} ${refusal}`;
    for (const [input, name] of this.node.inputs.entries())
      if (name !== "")
        for (const [k, axis] of this.#axesOf(input).entries())
          if (refusal !== null || missing || !this.#taken.has(`${input} ${k}`)) fixAxis(axis, reason);
    for (const [i, name] of this.node.outputs.entries()) {
      if (name === "") continue;
      const shape = this.around.shapeOf(name);
      const given = this.#given.get(i) ?? [];
      const followed = given.map((axis, k) => {
        // What is stated wrong, or of a value of unknown shape, is not followed.
        const fits = shape?.length === given.length && lengthOf(axis) === shape[k] && isWhole(axis, shape);
        if (fits && refusal === null && !missing) return axis;
        fixAxis(axis, shape === null ? `the shape of what ${this.label} gives is not known` : reason);
        return null;
      });
      // A shape that the rule contradicts is no shape to go by.
      const known = shape !== null && (given.length === 0 || agrees(given, shape));
      made.set(name, known ? fixedSignal(shape, reason, followed) : null);
    }
    return made;
  }

  #axesOf(input: number): readonly Axis[] {
    return this.has(input) ? (this.around.signalOf(this.node.inputs[input]!)?.axes ?? []) : [];
  }
}

const agrees = (axes: readonly Axis[], shape: readonly number[]): boolean =>
  axes.length === shape.length && axes.every((axis, k) => axis === null || lengthOf(axis) === shape[k]);

/** Whether the parts of a dependent axis are equal runs of the axis that they depend on. */
const isWhole = (axis: Axis, shape: readonly number[]): boolean =>
  !isDependent(axis) || (axis.by < shape.length && shape[axis.by]! % axis.parts.length === 0);
