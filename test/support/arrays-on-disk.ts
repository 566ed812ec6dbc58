/** Writes arrays as tests want them on disk, broken ones too: .npy and .npz bytes, tensors in ONNX's form. */
import { create, toBinary } from "@bufbuild/protobuf";
import JSZip from "jszip";
import { TensorProtoSchema } from "onnx-buf";
import { type DataArray, bytesOf, makeValues, type NumericType } from "../../server/src/data/array.js";
import { numberToFloat16 } from "../../server/src/graph/float16.js";
import { dtypeCode, elementCount } from "../../server/src/graph/tensor.js";

const descriptions: Readonly<Record<NumericType, string>> = {
  float: "<f4",
  double: "<f8",
  float16: "<f2",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  bool: "|b1",
};

/** An array whose elements are `make` of their index; the index itself unless another is given. */
export function counted(
  dtype: NumericType,
  shape: readonly number[],
  make: (index: number) => number = (index) => index,
): DataArray {
  const values = makeValues(dtype, elementCount(shape));
  const big = dtype === "int64" || dtype === "uint64";
  const stored = dtype === "float16" ? (i: number) => numberToFloat16(make(i)) : make;
  for (let i = 0; i < values.length; i++) values[i] = big ? BigInt(stored(i)) : stored(i);
  return { dtype, shape, values };
}

/** A .npy file (version 1) with any header. */
export function npyBytes(header: string, payload: Uint8Array): Uint8Array {
  const text = Buffer.from(`${header.padEnd(117)}\n`, "latin1");
  const head = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([head, text, payload]);
}

/** A .npy file as NumPy writes it. */
export function npy(array: DataArray): Uint8Array {
  const shape = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(", ");
  const header = `{'descr': '${descriptions[array.dtype]}', 'fortran_order': False, 'shape': (${shape}), }`;
  return npyBytes(header, bytesOf(array));
}

/** A zip archive of the given members. */
export async function zipped(members: Readonly<Record<string, Uint8Array>>, compress = false): Promise<Buffer> {
  const zip = new JSZip();
  for (const [name, bytes] of Object.entries(members)) zip.file(name, bytes);
  return zip.generateAsync({ type: "nodebuffer", compression: compress ? "DEFLATE" : "STORE" });
}

/** A .npz file. */
export function npz(arrays: Readonly<Record<string, DataArray>>, compress = false): Promise<Buffer> {
  return zipped(Object.fromEntries(Object.entries(arrays).map(([name, one]) => [`${name}.npy`, npy(one)])), compress);
}

/** A TensorProto with raw elements, as `input_0.pb` holds it. */
export function tensorFile(array: DataArray, name = ""): Uint8Array {
  return toBinary(
    TensorProtoSchema,
    create(TensorProtoSchema, {
      name,
      dims: array.shape.map(BigInt),
      dataType: dtypeCode(array.dtype),
      rawData: Uint8Array.from(bytesOf(array)),
    }),
  );
}
