/** What lowers a layer of a Keras topology, and what it is told of a call of the layer. */
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { Json, JsonObject } from "../document.js";
import type { Lowered } from "../lowering/lowered.js";
import type { Lowering } from "../lowering/lowering.js";

export type Layer = LayersModel["layers"][number];

/** One call of a layer: a shared layer has several. */
export interface LayerCall {
  readonly lowering: Lowering;
  readonly layer: Layer;
  readonly className: string;
  /** The layer's configuration as TensorFlow.js reads it, defaults filled in, camelCase. */
  readonly config: JsonObject;
  readonly inputs: readonly Lowered[];
  /** Shapes of its outputs, batch axis included, as TensorFlow.js computes them. */
  readonly outputShapes: readonly (readonly (number | null)[])[];
  /** The weight whose name ends in `/name`, of the layer or of one inside it (a cell); null where it has none. */
  weight(name: string, layer?: Layer): Lowered | null;
  /** Outputs of a layer that has no lowering, for the reason in a clause. Its weights stay in sight. */
  unlowered(why: string): readonly Lowered[];
  /** Lowers another layer (one that this layer wraps) on the given inputs. */
  nested(layer: Layer, inputs: readonly Lowered[], shapes: LayerCall["outputShapes"]): readonly Lowered[];
}

/** The configuration that TensorFlow.js reads of a layer or cell, defaults filled in. */
export const configOf = (layer: Layer): JsonObject => layer.getConfig();

export interface LayerRule {
  /** Class names, as the topology has them. */
  readonly classes: readonly string[];
  /** @returns its outputs, in order. */
  lower(call: LayerCall): readonly Lowered[];
}

/**
 * The layer that a wrapper holds under `name`: TensorFlow.js' types do not show it.
 * @throws Error where there is none.
 */
export function heldLayer(wrapper: Layer, name: "backwardLayer" | "forwardLayer" | "layer"): Layer {
  const held: unknown = Reflect.get(wrapper, name);
  if (isLayer(held)) return held;
  throw new Error(`${wrapper.name} holds no ${name}`);
}

const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && "getClassName" in value && "inboundNodes" in value;

/** The single input of a layer. */
export const only = ({ inputs }: LayerCall): Lowered => inputs[0]!;

/** A number, or one for each spatial axis, of a configuration. */
export function lengths(json: Json | undefined, axes: number, fallback: number): number[] {
  if (Array.isArray(json)) return (json as readonly number[]).slice(0, axes);
  return Array.from({ length: axes }, () => (typeof json === "number" ? json : fallback));
}

/** A number, or a list of them, of a configuration. @throws Error for anything else. */
export function numbersIn(json: Json | undefined): number | readonly number[] {
  if (typeof json === "number") return json;
  const isNumber = (one: Json): one is number => typeof one === "number";
  if (Array.isArray(json)) {
    const list: readonly Json[] = json;
    if (list.every(isNumber)) return list;
  }
  throw new Error("a configuration has no numbers where it should");
}

/** What a configuration adds or cuts off before and after each of `axes` axes. @throws Error for anything else. */
export function sidesIn(json: Json | undefined, axes: number): readonly (readonly [before: number, after: number])[] {
  const list: readonly Json[] = Array.isArray(json) ? json : [];
  return Array.from({ length: axes }, (_, axis) => {
    const pair = numbersIn(list[axis]);
    if (typeof pair === "number" || pair.length !== 2) throw new Error("a configuration has no pair where it should");
    return [pair[0]!, pair[1]!] as const;
  });
}
