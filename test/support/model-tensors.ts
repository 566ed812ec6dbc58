/**
 * Tensors of test models, in every storage that the format has: raw, packed and unpacked typed fields, sparse, and
 * external files; and the types of values.
 */
import { create } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  type SparseTensorProto,
  SparseTensorProtoSchema,
  type StringStringEntryProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { Dim, DType } from "../../server/protocol/model.js";
import { dtypeCode } from "../../server/src/graph/tensor.js";
import { bfloat16Bits, float16Bits, rawBytes } from "./model-elements.js";

/** Records of `metadata_props` and `external_data`. */
export function entries(record: Readonly<Record<string, string>>): StringStringEntryProto[] {
  return Object.entries(record).map(([key, text]) => create(StringStringEntryProtoSchema, { key, value: text }));
}

/** A file beside the model that holds tensors. */
export class ExternalFile {
  #bytes = new Uint8Array(0);

  constructor(readonly location: string) {}

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Appends `bytes` at the next multiple of `alignment`, filling the gap with 0xa5. @returns their offset. */
  append(bytes: Uint8Array, alignment = 1): number {
    const offset = Math.ceil(this.#bytes.length / alignment) * alignment;
    const longer = new Uint8Array(offset + bytes.length).fill(0xa5, this.#bytes.length, offset);
    longer.set(this.#bytes);
    longer.set(bytes, offset);
    this.#bytes = longer;
    return offset;
  }
}

/**
 * Where a tensor's elements go: `raw` raw_data, `typed` the packed field of their type, `unpacked` the same field with
 * one record for each element, or a file of its own.
 */
export type Storage = "raw" | "typed" | "unpacked" | { readonly file: ExternalFile; readonly alignment?: number };

const elements = new WeakMap<TensorProto, Uint8Array>();

/** The elements that a tensor of this module was made of, raw and little-endian, wherever they are stored. */
export function elementsOf(proto: TensorProto): Uint8Array {
  const bytes = elements.get(proto);
  if (bytes === undefined) throw new Error(`tensor "${proto.name}" was not made by tensor()`);
  return bytes;
}

/** A tensor of these values. */
export function tensor(
  name: string,
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number>,
  storage: Storage = "raw",
): TensorProto {
  const proto = create(TensorProtoSchema, { name, dataType: dtypeCode(dtype), dims: shape.map(BigInt) });
  elements.set(proto, rawBytes(dtype, values));
  if (storage === "raw") proto.rawData = rawBytes(dtype, values);
  else if (storage === "typed") Object.assign(proto, typedFields(dtype, values));
  else if (storage === "unpacked") proto.$unknown = unpackedFields(dtype, values);
  else {
    const bytes = rawBytes(dtype, values);
    const offset = storage.file.append(bytes, storage.alignment);
    proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
    proto.externalData = entries({
      location: storage.file.location,
      offset: String(offset),
      length: String(bytes.length),
    });
  }
  return proto;
}

/** The number that `int32_data` holds for an element. */
function int32Of(dtype: DType, value: number): number {
  if (dtype === "float16") return float16Bits(value);
  if (dtype === "bool") return value === 0 ? 0 : 1;
  return dtype === "bfloat16" ? bfloat16Bits(value) : value;
}

function typedFields(
  dtype: DType,
  values: ArrayLike<number>,
): Partial<Pick<TensorProto, "doubleData" | "floatData" | "int32Data" | "int64Data" | "uint64Data">> {
  const list = Array.from(values);
  if (dtype === "float") return { floatData: list };
  if (dtype === "double") return { doubleData: list };
  if (dtype === "int64") return { int64Data: list.map(BigInt) };
  if (dtype === "uint32" || dtype === "uint64") return { uint64Data: list.map(BigInt) };
  return { int32Data: list.map((value) => int32Of(dtype, value)) };
}

function unpackedFields(dtype: DType, values: ArrayLike<number>): NonNullable<TensorProto["$unknown"]> {
  return Array.from(values, (value) => {
    if (dtype === "float") return { no: 4, wireType: WireType.Bit32, data: rawBytes(dtype, [value]) };
    if (dtype === "double") return { no: 10, wireType: WireType.Bit64, data: rawBytes(dtype, [value]) };
    const no = dtype === "int64" ? 7 : dtype === "uint32" || dtype === "uint64" ? 11 : 5;
    return { no, wireType: WireType.Varint, data: new BinaryWriter().int64(int32Of(dtype, value)).finish() };
  });
}

/** A sparse tensor of `shape`: linear indices, or one row of coordinates for each value. */
export function sparseTensor(
  shape: readonly number[],
  values: TensorProto,
  indices: readonly number[] | readonly (readonly number[])[],
): SparseTensorProto {
  const flat = indices.flat();
  const dims = indices.length > 0 && Array.isArray(indices[0]) ? [indices.length, shape.length] : [flat.length];
  return create(SparseTensorProtoSchema, {
    dims: shape.map(BigInt),
    values,
    indices: tensor(`${values.name}_indices`, "int64", dims, flat),
  });
}

/** An input, output or intermediate value; a `null` shape leaves even the rank open. */
export function value(name: string, dtype: DType, shape: readonly Dim[] | null): ValueInfoProto {
  const type = create(TypeProto_TensorSchema, { elemType: dtypeCode(dtype) });
  if (shape !== null) {
    const dim = shape.map((length) =>
      create(
        TensorShapeProto_DimensionSchema,
        typeof length === "number"
          ? { value: { case: "dimValue", value: BigInt(length) } }
          : length === null
            ? {}
            : { value: { case: "dimParam", value: length } },
      ),
    );
    type.shape = create(TensorShapeProtoSchema, { dim });
  }
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: type } }),
  });
}
