/**
 * Makes graph models for tests in short words, in the JSON that tfjs-converter writes of a GraphDef. Nothing is checked:
 * broken models are made with it too.
 */
import type { TfjsModel } from "./folder.js";
import type { TfjsType, TfjsWeight } from "./weights.js";

export type DataType = "DT_FLOAT" | "DT_INT32" | "DT_INT64" | "DT_BOOL" | "DT_STRING" | "DT_COMPLEX64" | "DT_HALF";

/** Whole numbers are ints, `{ f: 1 }` where that is wrong; text is bytes; an object is an attribute's JSON as it is. */
export type GraphAttribute = boolean | number | string | readonly number[] | readonly string[] | object;

/** A NodeDef. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, object>>;
}

const dataTypes: Readonly<Record<TfjsType, DataType>> = {
  float32: "DT_FLOAT",
  int32: "DT_INT32",
  bool: "DT_BOOL",
  string: "DT_STRING",
  complex64: "DT_COMPLEX64",
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** An attribute in JSON. */
export function graphAttribute(value: GraphAttribute): object {
  if (typeof value === "boolean") return { b: value };
  if (typeof value === "number") return Number.isInteger(value) ? { i: String(value) } : { f: value };
  if (typeof value === "string") return { s: base64(value) };
  if (!Array.isArray(value)) return value;
  const list = value as readonly (number | string)[];
  return typeof list[0] === "string"
    ? { list: { s: list.map((text) => base64(String(text))) } }
    : { list: { i: list.map(String) } };
}

/** A type as an attribute. */
export const ofType = (type: DataType): object => ({ type });

/** A shape in JSON; null is an unknown length. */
export const shapeOf = (shape: readonly (number | null)[]): object => ({
  dim: shape.map((length) => ({ size: String(length ?? -1) })),
});

/** A node. `T` is DT_FLOAT unless it is given. Inputs are names: `x`, `x:1` for a second output, `^x` for control. */
export function node(
  op: string,
  name: string,
  input: readonly string[] = [],
  attributes: Readonly<Record<string, GraphAttribute>> = {},
): GraphNode {
  const attr = Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, graphAttribute(value)]));
  return { name, op, ...(input.length === 0 ? {} : { input }), attr: { T: ofType("DT_FLOAT"), ...attr } };
}

/** A model's input. */
export function placeholder(name: string, shape: readonly (number | null)[], type: DataType = "DT_FLOAT"): GraphNode {
  return { name, op: "Placeholder", attr: { dtype: { type }, shape: { shape: shapeOf(shape) } } };
}

/** The Const node of a weight. */
export function constNode({ name, dtype, shape }: TfjsWeight): GraphNode {
  const type = dataTypes[dtype];
  return {
    name,
    op: "Const",
    attr: { dtype: { type }, value: { tensor: { dtype: type, tensorShape: shapeOf(shape) } } },
  };
}

export interface GraphModelParts {
  readonly inputs: readonly GraphNode[];
  readonly weights?: readonly TfjsWeight[];
  readonly nodes: readonly GraphNode[];
  /** Names of outputs, or names in the signature and what they stand for. */
  readonly outputs: readonly string[] | Readonly<Record<string, string>>;
  /** Types of outputs that are not float. */
  readonly outputTypes?: Readonly<Record<string, DataType>>;
  /** Functions of control flow: FunctionDefs in JSON. */
  readonly functions?: readonly object[];
  /** Whether model.json has a signature; it does. */
  readonly signature?: boolean;
}

/** A graph model: placeholders, a Const node for every weight, nodes. */
export function graphModel(parts: GraphModelParts): TfjsModel {
  const { inputs, weights = [], nodes, outputs, outputTypes = {}, functions = [], signature = true } = parts;
  const named = Array.isArray(outputs)
    ? (outputs as readonly string[]).map((name) => [name, name] as const)
    : Object.entries(outputs as Readonly<Record<string, string>>);
  const port = (name: string): string => (name.includes(":") ? name : `${name}:0`);
  const signatures = {
    inputs: Object.fromEntries(
      inputs.map(({ name, attr }) => [
        name,
        {
          name: port(name),
          dtype: (attr["dtype"] as { type: DataType }).type,
          tensorShape: (attr["shape"] as { shape: object }).shape,
        },
      ]),
    ),
    outputs: Object.fromEntries(
      named.map(([key, name]) => [key, { name: port(name), dtype: outputTypes[key] ?? "DT_FLOAT" }]),
    ),
  };
  return {
    format: "graph-model",
    topology: {
      node: [...inputs, ...weights.map(constNode), ...nodes],
      library: functions.length === 0 ? {} : { function: functions },
      versions: { producer: 1087 },
    },
    weights,
    fields: signature ? { signature: signatures } : {},
  };
}
