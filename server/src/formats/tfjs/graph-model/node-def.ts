/** A node of a GraphDef in its JSON form, checked: name, operator, inputs, and attributes by their kind. */
import { PruneScopeError } from "../../../../protocol/errors.js";
import { isObject, type Json, type JsonObject } from "../document.js";

/** Where an input comes from. */
export interface Port {
  readonly node: string;
  readonly output: number;
}

/** Most characters of a name: the graph repeats names, and people read them. */
const maxName = 4096;

export class NodeDef {
  readonly name: string;
  readonly op: string;
  /** Name of its weight in the manifest, where it is a constant. */
  readonly weight: string;
  /** Names of data inputs, `node` or `node:output`. */
  readonly inputs: readonly string[];
  readonly #attributes: JsonObject;

  /** @throws PruneScopeError `malformed-model` for what is no node. */
  constructor(path: string, json: Json, weight?: string) {
    const { name, op, input = [], attr = {} } = isObject(json) ? json : {};
    const inputs = Array.isArray(input) ? (input as readonly Json[]) : [];
    if (typeof name !== "string" || typeof op !== "string" || !inputs.every((one) => typeof one === "string"))
      throw new PruneScopeError("malformed-model", `${path} lists a node without a name, operator or inputs.`, {
        file: path,
      });
    if (name.length > maxName || op.length > maxName)
      throw new PruneScopeError(
        "malformed-model",
        `${path} has a node whose name has ${name.length} characters, of an operator that has ${op.length}.`,
        { file: path },
      );
    this.name = name;
    this.op = op;
    this.weight = weight ?? name;
    this.inputs = inputs.filter((one) => !one.startsWith("^"));
    this.#attributes = isObject(attr) ? attr : {};
  }

  #value(name: string, kind: string): Json | undefined {
    const attribute = Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
    return isObject(attribute) ? attribute[kind] : undefined;
  }

  has = (name: string): boolean => Object.hasOwn(this.#attributes, name);

  /** An integer, which JSON may have as text. */
  int(name: string, fallback: number): number {
    const value = Number(this.#value(name, "i"));
    return Number.isSafeInteger(value) ? value : fallback;
  }
  float(name: string, fallback: number): number {
    const value = this.#value(name, "f");
    return typeof value === "number" ? value : fallback;
  }
  bool(name: string, fallback = false): boolean {
    const value = this.#value(name, "b");
    return typeof value === "boolean" ? value : fallback;
  }
  /** A text: base64, as protobuf's JSON has bytes. */
  text(name: string, fallback: string): string {
    const value = this.#value(name, "s");
    return typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : fallback;
  }
  /** A type, `DT_FLOAT` for example. */
  type(name: string, fallback = "DT_FLOAT"): string {
    const value = this.#value(name, "type");
    return typeof value === "string" ? value : fallback;
  }
  ints(name: string): readonly number[] {
    return this.#list(name, "i").map(Number);
  }
  texts(name: string): readonly string[] {
    return this.#list(name, "s").map((text) =>
      typeof text === "string" ? Buffer.from(text, "base64").toString("utf8") : "",
    );
  }
  #list(name: string, kind: string): readonly Json[] {
    const list = this.#value(name, "list");
    const items = isObject(list) ? list[kind] : undefined;
    return Array.isArray(items) ? (items as readonly Json[]) : [];
  }
  /** Name of a function. */
  func(name: string): string | null {
    const value = this.#value(name, "func");
    return isObject(value) && typeof value["name"] === "string" ? value["name"] : null;
  }
  /** Number of axes of a tensor; null where the attribute is none. */
  tensorRank(name: string): number | null {
    const tensor = this.#value(name, "tensor");
    const shape = isObject(tensor) ? tensor["tensorShape"] : undefined;
    const dims = isObject(shape) ? (shape["dim"] ?? []) : null;
    return Array.isArray(dims) ? dims.length : null;
  }
  /** A shape; null where its rank is not known. */
  shape(name: string): readonly (number | null)[] | null {
    const shape = this.#value(name, "shape");
    if (!isObject(shape) || shape["unknownRank"] === true) return null;
    const { dim = [] } = shape;
    if (!Array.isArray(dim)) return null;
    return (dim as readonly Json[]).map((one) => {
      const size = Number(isObject(one) ? one["size"] : NaN);
      return Number.isSafeInteger(size) && size >= 0 ? size : null;
    });
  }
}

/** `node:1` is the second output of a node, `node` the first. */
export function portOf(name: string): Port {
  const at = name.lastIndexOf(":");
  const output = at < 0 ? NaN : Number(name.slice(at + 1));
  return Number.isSafeInteger(output) && output >= 0 ? { node: name.slice(0, at), output } : { node: name, output: 0 };
}
