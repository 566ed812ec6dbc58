/**
 * A Keras topology as TensorFlow.js may see it: of classes that it has, in layers that have names of their own and calls
 * that can be made, without initial weights. What its loader would trip over, run in circles on or multiply without end
 * never reaches it.
 */
import type * as Core from "@tensorflow/tfjs-core";
import { PruneScopeError } from "../../../../protocol/errors.js";
import { isObject, type Json, type JsonObject, type TfjsDocument } from "../document.js";
import { shortened } from "../json.js";
import { placeholderName } from "./known-classes.js";
import { type CalledLayer, requireCallable } from "./inbound-calls.js";

/** What is asked of tfjs-core: which classes there are. */
export type Classes = Pick<typeof Core, "serialization">;

/** Most calls of layers, those inside a nested model counted at each call of the model. Large networks have a few thousand. */
const maxCalls = 20_000;

/** Most characters of a text. */
const maxText = 65_536;

/** Most characters of a name: the graph repeats names, and people read them. */
const maxName = 1024;

/**
 * The topology as TensorFlow.js may see it, `{class_name, config}`.
 * @param replaced what a layer of a model is built as: itself, or a placeholder for what TensorFlow.js does not have.
 * @throws PruneScopeError `unsupported-op` for a class or activation that TensorFlow.js does not have, `malformed-model`
 * for what it could not be built from.
 */
export function checkedTopology(
  classes: Classes,
  { path, topology }: TfjsDocument,
  replaced: (layer: JsonObject) => JsonObject = (layer) => layer,
): JsonObject {
  const { model_config: inner } = topology;
  return new TopologyCheck(classes, path, replaced).model(isObject(inner) ? inner : topology);
}

/** How TensorFlow.js reads names of fields, of classes and of activations. */
const camelCase = (name: string): string => name.replace(/_+(\w|$)/g, (_all, next: string) => next.toUpperCase());

/** A layer that was checked. */
interface CheckedLayer {
  readonly json: Record<string, Json>;
  /** Calls of layers that one call of it comes to. */
  readonly calls: number;
}

class TopologyCheck {
  readonly #classes: Readonly<Record<string, readonly [{ readonly prototype: object }, unknown]>>;
  readonly #layer: object;

  constructor(
    { serialization }: Classes,
    readonly path: string,
    readonly replaced: (layer: JsonObject) => JsonObject,
  ) {
    const { classNameMap } = serialization.SerializationMap.getMap();
    this.#classes = classNameMap;
    this.#layer = Object.getPrototypeOf(classNameMap["Dense"]![0].prototype) as object;
  }

  model(json: JsonObject): JsonObject {
    const { className } = this.#fields(json, root);
    const found = this.#layerOf(json, root);
    if (typeof className !== "string" || !containers.has(className))
      return this.#refuse(`is of class ${JSON.stringify(className)}, which is no model`, root);
    return found.json;
  }

  #layerOf(json: Json, where: string): CheckedLayer {
    if (!isObject(json)) return this.#refuse("is no object", where);
    const { className, config, name, inboundNodes } = this.#fields(json, where);
    if (typeof className !== "string") return this.#refuse("has no class_name", where);
    const isContainer = containers.has(className);
    const own = isObject(config) ? config["name"] : undefined;
    const known = typeof own !== "string" || own === "" || where === root ? where : `Layer ${shortened(own)}`;
    if (!(isObject(config) || (isContainer && Array.isArray(config)))) return this.#refuse("has no config", known);
    this.#requireLayer(className, known, typeof own === "string" ? own : "");
    // The model itself may go without.
    if (own !== undefined || where !== root) this.#requireName(own, known);
    if (name !== undefined && name !== own)
      return this.#refuse(`is called ${shortOf(name)} where its config has ${shortOf(own)}`, known);
    const inside = isContainer
      ? this.#container(className, config as JsonObject | readonly Json[], known)
      : this.#config(className, config as JsonObject, known);
    return {
      json: {
        class_name: className,
        config: inside.json,
        ...(name === undefined ? {} : { name }),
        ...(inboundNodes === undefined ? {} : { inbound_nodes: this.#value(inboundNodes, known) }),
      },
      calls: this.#bounded(inside.calls),
    };
  }

  #replaced(entry: Json): Json {
    if (!isObject(entry)) return entry;
    const { class_name: className, config } = entry;
    const { activation = null, recurrent_activation: inner = null } = isObject(config) ? config : {};
    for (const name of [className, activation, inner])
      if (typeof name === "string" && (camelCase(name) in Object.prototype || name === placeholderName))
        this.#refuse(
          `has a layer of class or activation ${shortened(name)}, which there is not. It may be an attack`,
          root,
        );
    return this.replaced(entry);
  }

  /** Fields by the names that TensorFlow.js sees. */
  #fields(json: JsonObject, where: string): Readonly<Record<string, Json | undefined>> {
    const fields: Record<string, Json | undefined> = Object.create(null) as Record<string, Json | undefined>;
    for (const [key, value] of Object.entries(json)) {
      const name = camelCase(key);
      if (name in fields || name in Object.prototype)
        return this.#refuse(`has the entry ${shortened(key)} twice, or under a name that no entry has`, where);
      fields[name] = value;
    }
    return fields;
  }

  #container(className: string, config: JsonObject | readonly Json[], where: string): { json: Json; calls: number } {
    const entries = isObject(config) ? config["layers"] : config;
    if (!Array.isArray(entries) || entries.length === 0) return this.#refuse("has no layers", where);
    const layers = (entries as readonly Json[]).map((entry, i) =>
      this.#layerOf(this.#replaced(entry), `Layer ${i} of ${lower(where)}`),
    );
    const isSequential = className === "Sequential";
    const called = layers.map(({ json }): CalledLayer => {
      const { class_name: of, config: own, inbound_nodes: inbound } = json;
      return {
        name: (own as JsonObject)["name"] as string,
        inbound: isSequential ? [] : (inbound ?? null),
        // Input layers and models have been called once when they are made.
        first: of === "InputLayer" || containers.has(of as string) ? 1 : 0,
      };
    });
    const refuse = (why: string): never => this.#refuse(why, where);
    const ends = isObject(config) ? { inputs: config["input_layers"], outputs: config["output_layers"] } : {};
    const calls = requireCallable(called, isSequential ? null : ends, refuse);
    const total = layers.reduce((sum, layer, i) => sum + layer.calls * Math.max(1, calls[i]!), 0);
    const json = layers.map((layer) => layer.json);
    if (!isObject(config)) return { json, calls: total };
    const rest = this.#config(className, { ...config, layers: undefined }, where).json as JsonObject;
    return { json: { ...rest, layers: json }, calls: total };
  }

  #config(className: string, config: JsonObject, where: string): { json: Json; calls: number } {
    this.#fields(config, where);
    const json: Record<string, Json> = {};
    let calls = 1;
    const nested = (inner: Json): Json => {
      const found = this.#layerOf(inner, `A layer in ${lower(where)}`);
      // TensorFlow.js makes what is bidirectional three times.
      calls += found.calls * (className === "Bidirectional" ? 3 : 1);
      return found.json;
    };
    for (const [key, value] of Object.entries(config)) {
      const name = camelCase(key);
      // Elements come from the manifest, or are states that last from call to call; penalties belong to training.
      if (value === undefined || /^(weights|stateful)$|(Regularizer|Constraint)$/.test(name)) continue;
      if (name.endsWith("Initializer")) json[key] = zeros;
      else if (name === "layer" || name === "cell") json[key] = nested(value);
      else if (name === "cells" && Array.isArray(value)) json[key] = (value as readonly Json[]).map(nested);
      else if (/activation$/i.test(name)) json[key] = this.#activation(value, where);
      else if (/^(batchInput|batch|input)Shape$/.test(name)) json[key] = this.#shape(value, where);
      else json[key] = this.#value(value, where);
    }
    return { json, calls };
  }

  #activation(json: Json, where: string): Json {
    if (json === null) return json;
    const name = isObject(json) ? this.#fields(json, where)["className"] : json;
    if (typeof name !== "string") return this.#refuse(`has the activation ${shortOf(json)}, which is none`, where);
    if (!Object.hasOwn(this.#classes, camelCase(name)))
      throw new PruneScopeError(
        "unsupported-op",
        `${where} in ${this.path} has the activation ${shortened(name)}, which TensorFlow.js does not have.`,
        { file: this.path },
      );
    return this.#value(json, where);
  }

  #shape(json: Json, where: string): Json {
    const whole = (dim: Json): boolean => dim === null || (Number.isSafeInteger(dim) && (dim as number) >= 0);
    if (json === null || (Array.isArray(json) && json.length <= 64 && (json as readonly Json[]).every(whole)))
      return json;
    return this.#refuse(`has the shape ${shortOf(json)}, which is none`, where);
  }

  /** Any other value: no text in it is too long, and no object of a class that TensorFlow.js does not have. */
  #value(json: Json, where: string): Json {
    if (typeof json === "string" && json.length > maxText)
      return this.#refuse(`has a text of ${json.length} characters`, where);
    if (Array.isArray(json)) return (json as readonly Json[]).map((item) => this.#value(item, where));
    if (!isObject(json)) return json;
    const { className } = this.#fields(json, where);
    if (
      className !== undefined &&
      !(typeof className === "string" && Object.hasOwn(this.#classes, camelCase(className)))
    )
      return this.#unknown(shortOf(className), where);
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, this.#value(value ?? null, where)]));
  }

  #requireLayer(className: string, where: string, layer: string): void {
    const known = Object.hasOwn(this.#classes, className) ? this.#classes[className]! : null;
    if (known !== null && Object.prototype.isPrototypeOf.call(this.#layer, known[0].prototype)) return;
    this.#unknown(JSON.stringify(shortOf(className)), where, layer);
  }

  #requireName(name: Json | undefined, where: string): void {
    if (typeof name !== "string" || name === "") this.#refuse("has no name", where);
    else if (name.length > maxName) this.#refuse(`has a name of ${name.length} characters`, where);
    else if (name in Object.prototype)
      this.#refuse(
        "has a name that every object of JavaScript has an entry of, which TensorFlow.js cannot take",
        where,
      );
  }

  #bounded(calls: number): number {
    if (calls > maxCalls)
      this.#refuse(`calls more than ${maxCalls} layers, those of nested models counted at every call`, root);
    return calls;
  }

  #unknown(className: string, where: string, node = ""): never {
    throw new PruneScopeError(
      "unsupported-op",
      `${where} in ${this.path} is of class ${className}, which TensorFlow.js does not have.`,
      { file: this.path, node },
    );
  }

  #refuse(why: string, where: string): never {
    throw new PruneScopeError("malformed-model", `${upper(where)} in ${this.path} ${why}.`, { file: this.path });
  }
}

/** Classes of models. */
const containers: ReadonlySet<string> = new Set(["Functional", "Model", "Sequential"]);

/** What errors call the outermost model. */
const root = "the model";

/** What stands for initial weights. */
const zeros: JsonObject = { class_name: "Zeros", config: {} };

const upper = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`;
const lower = (text: string): string => `${text[0]!.toLowerCase()}${text.slice(1)}`;

/** What stands in a field where something else should. */
function shortOf(json: Json | undefined): string {
  const text = JSON.stringify(json) as string | undefined;
  return text === undefined ? "(none)" : text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
