/** Constants that exist in no file: small tensors that passes over the graph add to it. */
import type { DType } from "../../protocol/model.js";
import type { Attribute, Constant } from "./graph.js";
import { dtypeByCode, elementCount } from "./tensor.js";

const arrays = {
  float: Float32Array,
  double: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** Element types a literal can have. */
export type LiteralType = keyof typeof arrays | "int64";

/** A constant with the given elements. @throws Error when their number is not that of the shape. */
export function literal(
  name: string,
  dtype: LiteralType,
  shape: readonly number[],
  values: readonly number[] | Float32Array,
): Constant {
  if (values.length !== elementCount(shape))
    throw new Error(`${name}: ${values.length} elements for [${shape.join()}]`);
  const typed = dtype === "int64" ? BigInt64Array.from(values, (value) => BigInt(value)) : arrays[dtype].from(values);
  const inline = new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
  return {
    name,
    tensor: { path: "", offset: 0, length: inline.byteLength, dtype, shape: [...shape], encoding: "raw" },
    inline,
    origin: "made",
    sparse: null,
  };
}

/** Elements of a constant that the graph holds, as numbers; null when they lie in a file or are no numbers. */
export function literalValues(constant: Constant): readonly number[] | null {
  const { inline, tensor, sparse } = constant;
  if (inline === null || sparse !== null || tensor.encoding === "varint") return null;
  const { buffer } = Uint8Array.from(inline);
  if (tensor.dtype === "int64") return Array.from(new BigInt64Array(buffer), Number);
  if (!Object.hasOwn(arrays, tensor.dtype)) return null;
  return Array.from(new arrays[tensor.dtype as keyof typeof arrays](buffer));
}

/** What an attribute can be written as: see {@link attributes}. */
export type AttributeWord =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | Constant
  | undefined;

/**
 * Attributes from plain words: whole numbers and lists of them are ints, `{ float: 1 }` is a float and `{ floats: [1] }`
 * several, strings and lists of them are strings, a constant is a tensor. What is undefined is left out.
 */
export function attributes(words: Readonly<Record<string, AttributeWord>>): Map<string, Attribute> {
  const made = new Map<string, Attribute>();
  for (const [name, word] of Object.entries(words)) if (word !== undefined) made.set(name, attributeOf(word));
  return made;
}

function attributeOf(word: Exclude<AttributeWord, undefined>): Attribute {
  if (typeof word === "number") return { kind: "int", value: BigInt(word) };
  if (typeof word === "string") return { kind: "string", value: new TextEncoder().encode(word) };
  if (Array.isArray(word)) {
    const list = word as readonly number[] | readonly string[];
    return typeof list[0] === "string"
      ? { kind: "strings", value: list.map((text) => new TextEncoder().encode(text as string)) }
      : { kind: "ints", value: (list as readonly number[]).map(BigInt) };
  }
  if ("float" in word) return { kind: "float", value: word.float };
  if ("floats" in word) return { kind: "floats", value: word.floats };
  return { kind: "tensor", value: word as Constant };
}

/** ONNX's number of an element type, for the attribute `to` of Cast. */
export const castTo = (dtype: DType): number => dtypeByCode.indexOf(dtype);
