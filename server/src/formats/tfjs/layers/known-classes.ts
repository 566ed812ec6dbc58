/**
 * What TensorFlow.js knows of a Keras topology. A layer of another class, or with a part of another class, becomes a
 * placeholder that keeps its name and its input's shape, so that the rest of the model can still be rebuilt.
 */
import { isObject, type Json, type JsonObject } from "../document.js";
import { shortened } from "../json.js";
import type { TensorFlow } from "../tensorflow.js";
import type { Layer } from "./rule.js";

/** Classes whose layers are placed one by one: what is wrong within them is wrong of one of those. */
const containers: ReadonlySet<string> = new Set(["Functional", "Model", "Sequential"]);

/** Class of placeholders. No model that comes from outside has layers of it. */
export const placeholderName = "PruneScopePlaceholder";

/** A layer in place of one that TensorFlow.js does not know. */
export interface Placeholder extends Layer {
  readonly original: { readonly name: string; readonly why: { readonly name: string } };
}

export const isPlaceholder = (layer: Layer): layer is Placeholder => layer.getClassName() === placeholderName;

/** Layers of a topology, given one after the other, with those that TensorFlow.js does not know replaced. */
export class KnownClasses {
  readonly #known: Readonly<Record<string, unknown>>;
  /** Names of those that keep their states from one run to the next. */
  readonly stateful: string[] = [];

  constructor(tf: TensorFlow) {
    this.#known = tf.core.serialization.SerializationMap.getMap().classNameMap;
    if (!Object.hasOwn(this.#known, placeholderName)) register(tf);
  }

  /** The layer as it is, or a placeholder. Nothing has been checked yet; what is malformed stays as it is. */
  layer(json: JsonObject): JsonObject {
    const { config } = json;
    const className = field(json, "class_name");
    if (typeof className !== "string" || !isObject(config)) return json;
    const { name } = config;
    if (config["stateful"] === true && typeof name === "string") this.stateful.push(name);
    const why = this.#missing(className, config);
    if (why === null) return json;
    const shape = field(config, "batch_input_shape");
    return {
      ...json,
      class_name: placeholderName,
      // Names under this key are left as they are written.
      config: {
        ...(name === undefined ? {} : { name }),
        ...(shape === undefined ? {} : { batch_input_shape: shape }),
        original: { name: className, why: { name: why } },
      },
    };
  }

  /** A clause about what TensorFlow.js does not know of a layer or cell; null where there is nothing. */
  #missing(className: string, config: JsonObject, depth = 0): string | null {
    if (containers.has(className)) return null;
    if (!Object.hasOwn(this.#known, className)) return `TensorFlow.js has no class ${shortened(className)}`;
    if (className.startsWith("GRU") && field(config, "reset_after") === true)
      return "TensorFlow.js has no GRU that resets after the product (reset_after)";
    const { layer, cell, cells } = config;
    for (const inner of [layer, cell, ...(Array.isArray(cells) ? (cells as readonly Json[]) : [])]) {
      if (!isObject(inner) || depth > maxDepth) continue;
      const name = field(inner, "class_name");
      const why =
        typeof name === "string" && isObject(inner["config"]) ? this.#missing(name, inner["config"], depth + 1) : null;
      if (why !== null) return why;
    }
    return null;
  }
}

/** Deepest nesting of wrappers that is looked into. */
const maxDepth = 16;

/** A field by its name in Python, or in JavaScript. */
const field = (json: JsonObject, name: string): Json | undefined => json[name] ?? json[camelCase(name)];

/** TensorFlow.js turns every text of a configuration into this, but names. */
const camelCase = (text: string): string =>
  text.replace(/(?!^)_+([a-z])/g, (_, letter: string) => letter.toUpperCase());

function register({ core, layers }: TensorFlow): void {
  class UnknownLayer extends layers.layers.Layer {
    static readonly className = placeholderName;
    readonly original: JsonObject;

    constructor(config: ConstructorParameters<typeof layers.layers.Layer>[0] & { readonly original: JsonObject }) {
      super(config);
      this.original = config.original;
    }

    override computeOutputShape(shape: Shape | Shape[]): Shape | Shape[] {
      return Array.isArray(shape[0]) ? shape[0] : shape;
    }
  }
  core.serialization.registerClass(UnknownLayer);
}

type Shape = (number | null)[];
