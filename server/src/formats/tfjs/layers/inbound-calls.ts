/**
 * Whether the calls of a model's layers can all be made. TensorFlow.js goes round all layers until no call is left that
 * waits for another: for ever where one waits for what never comes, and as often as there are layers where they stand in
 * the wrong order. So its rounds are made here first, without layers, and counted.
 */
import { isObject, type Json, type JsonObject } from "../document.js";
import { shortened } from "../json.js";

/** A layer, and from what it is called. */
export interface CalledLayer {
  readonly name: string;
  /** Its `inbound_nodes`; null where it has none. */
  readonly inbound: Json;
  /** How often it has been called before. */
  readonly first: number;
}

/** `input_layers` and `output_layers` of a model. */
export interface Ends {
  readonly inputs?: Json | undefined;
  readonly outputs?: Json | undefined;
}

/** Most layers that are looked at in all rounds together. Layers in their order take two rounds. */
const maxLooks = 5_000_000;

/** The result of a layer's call: which layer, and which of its calls. */
interface Port {
  readonly layer: number;
  readonly call: number;
}

/**
 * Expects that all calls can be made.
 * @param ends null for a model whose layers are called in a row.
 * @param refuse throws with the end of a sentence about the model.
 * @returns how often each layer is called.
 */
export function requireCallable(
  layers: readonly CalledLayer[],
  ends: Ends | null,
  refuse: (why: string) => never,
): readonly number[] {
  const index = new Map(layers.map(({ name }, i) => [name, i]));
  if (index.size < layers.length) {
    const twice = layers.find(({ name }, i) => index.get(name) !== i)!;
    return refuse(`has two layers called ${shortened(twice.name)}`);
  }
  if (ends === null) return layers.map(() => 1);
  const port = (json: Json, reader: string): Port => {
    const [name, call] = Array.isArray(json) ? (json as readonly Json[]) : [];
    const output = Array.isArray(json) ? (json as readonly Json[])[2] : null;
    if (typeof name !== "string" || !isCount(call) || !isCount(output))
      return refuse(
        `says of ${reader} that it reads ${JSON.stringify(json).slice(0, 100)}, which is no output of a layer`,
      );
    const layer = index.get(name);
    return layer === undefined
      ? refuse(`says of ${reader} that it reads ${shortened(name)}, which is none of its layers`)
      : { layer, call };
  };
  const pending = layers.map(({ name, inbound }) => {
    if (inbound === null) return refuse(`has no inbound_nodes for its layer ${shortened(name)}`);
    return callsOf(inbound, name, refuse).map((call) => call.map((json) => port(json, shortened(name))));
  });
  const calls = pending.map(({ length }) => length);
  const made = layers.map(({ first }) => first);
  makeAll(layers, pending, made, refuse);
  for (const [end, list] of Object.entries(ends) as [string, Json | undefined][]) {
    if (!Array.isArray(list) || list.length === 0) return refuse(`has no ${end}`);
    for (const json of list as readonly Json[]) {
      const { layer, call } = port(json, `its ${end}`);
      if (call >= made[layer]!)
        return refuse(
          `says of its ${end} that they are call ${call} of ${shortened(layers[layer]!.name)}, which is not made`,
        );
    }
  }
  return calls;
}

const isCount = (json: Json | undefined): json is number => Number.isSafeInteger(json) && (json as number) >= 0;

/** Calls of a layer, each as the list of what it is called on. */
function callsOf(inbound: Json, name: string, refuse: (why: string) => never): readonly (readonly Json[])[] {
  const calls = Array.isArray(inbound) ? (inbound as readonly Json[]) : [inbound];
  return calls.map((call) => {
    if (isObject(call) && isKeras3(call))
      return refuse(
        `calls its layer ${shortened(name)} as Keras 3 writes it, which TensorFlow.js does not read. Save the model with Keras 2 (tf-keras)`,
      );
    if (!Array.isArray(call) || call.length === 0)
      return refuse(
        `calls its layer ${shortened(name)} on ${JSON.stringify(call).slice(0, 100)}, which is no list of outputs`,
      );
    return call as readonly Json[];
  });
}

const isKeras3 = (call: JsonObject): boolean => "args" in call && "kwargs" in call;

/** Makes calls in rounds, as TensorFlow.js does, until none is left. `made`: how often each layer has been called. */
function makeAll(
  layers: readonly CalledLayer[],
  pending: (readonly Port[])[][],
  made: number[],
  refuse: (why: string) => never,
): void {
  let looks = 0;
  for (let left = pending.filter((calls) => calls.length > 0).length; left > 0;) {
    looks += layers.length;
    let progress = false;
    for (const [i, calls] of pending.entries()) {
      if (calls.length === 0) continue;
      looks += calls.length;
      if (looks > maxLooks)
        refuse(
          "lists its layers in an order that takes too long to follow: list each layer behind those that it reads",
        );
      const waiting = calls.filter((call) => {
        const ready = call.every(({ layer, call: needed }) => made[layer]! > needed);
        if (ready) made[i]!++;
        return !ready;
      });
      if (waiting.length < calls.length) progress = true;
      if (waiting.length === 0) left--;
      pending[i] = waiting;
    }
    if (!progress) {
      const stuck = layers[pending.findIndex((calls) => calls.length > 0)]!;
      refuse(`has a layer ${shortened(stuck.name)} that needs its own result, or one that no layer gives`);
    }
  }
}
