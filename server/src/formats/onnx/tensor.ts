/**
 * From TensorProto to a reference: element type, shape and the range of the file that holds the elements, checked
 * against each other before anything is read.
 */
import { type TensorProto, TensorProto_DataLocation } from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";
import type { DType } from "../../../protocol/model.js";
import type { Constant } from "../../graph/graph.js";
import { byteLength, dtypeByCode, elementCount, maxRank, type TensorRef } from "../../graph/tensor.js";
import type { Source } from "../source.js";
import { externalPath } from "../external-path.js";
import { inlineBytes, type Payload, payloadField } from "./skeleton.js";

/** How typed (not raw) elements of a type are stored in TensorProto. */
interface TypedStorage {
  /** Number of the repeated field. */
  readonly field: number;
  /** Bytes of a stored number; 0 = a varint. */
  readonly bytes: number;
  /** Stored numbers per element: 2 for complex types, a fraction below a byte. */
  readonly numbers: number;
}

function typedStorage(dtype: DType): TypedStorage {
  switch (dtype) {
    case "float":
      return { field: 4, bytes: 4, numbers: 1 };
    case "complex64":
      return { field: 4, bytes: 4, numbers: 2 };
    case "double":
      return { field: 10, bytes: 8, numbers: 1 };
    case "complex128":
      return { field: 10, bytes: 8, numbers: 2 };
    case "int64":
      return { field: 7, bytes: 0, numbers: 1 };
    case "uint32":
    case "uint64":
      return { field: 11, bytes: 0, numbers: 1 };
    case "int4":
    case "uint4":
    case "float4e2m1":
      return { field: 5, bytes: 0, numbers: 1 / 2 };
    case "int2":
    case "uint2":
      return { field: 5, bytes: 0, numbers: 1 / 4 };
    default:
      return { field: 5, bytes: 0, numbers: 1 };
  }
}

/** What reading a tensor needs to know of the file. */
export interface TensorContext {
  readonly source: Source;
  readonly payloads: readonly (readonly Payload[])[];
}

/** Shape from protobuf dims. @throws PruneScopeError `malformed-model` for negative or absurd ones. */
export function checkedShape(dims: readonly bigint[], tensor: string, file: string): number[] {
  if (dims.length > maxRank) {
    throw new PruneScopeError("malformed-model", `Tensor "${tensor}" has ${dims.length} axes, which cannot be.`, {
      file,
      value: tensor,
    });
  }
  let total = 1;
  return dims.map((dim) => {
    const value = Number(dim);
    total *= value;
    if (dim < 0n || !Number.isSafeInteger(value) || !Number.isSafeInteger(total)) {
      throw new PruneScopeError(
        "malformed-model",
        `Tensor "${tensor}" has the shape [${dims.join(", ")}], which cannot be.`,
        {
          file,
          value: tensor,
        },
      );
    }
    return value;
  });
}

/** Reads one tensor's reference. `name` is used where the proto has none (Constant nodes). */
export function readTensor(
  context: TensorContext,
  proto: TensorProto,
  name: string,
  origin: Constant["origin"],
): Constant {
  const { source } = context;
  const file = source.main;
  const fail = (what: string, offset?: number): never => {
    const about = offset === undefined ? { file, value: name } : { file, value: name, offset };
    throw new PruneScopeError("malformed-model", `Tensor "${name}" ${what}.`, about);
  };
  const dtype = dtypeByCode[proto.dataType] ?? fail(`has the unknown element type ${proto.dataType}`);
  const shape = checkedShape(proto.dims, name, file);
  const count = elementCount(shape);
  const constant = (tensor: TensorRef, inline: Uint8Array | null): Constant => ({
    name,
    tensor,
    inline,
    origin,
    sparse: null,
  });

  if (dtype === "string") return constant({ path: "", offset: 0, length: 0, dtype, shape, encoding: "raw" }, null);
  const expected = byteLength(dtype, count) ?? 0;
  const ref = (path: string, offset: number, length: number, encoding: TensorRef["encoding"] = "raw"): TensorRef => ({
    path,
    offset,
    length,
    dtype,
    shape,
    encoding,
  });
  const readInline = (tensor: TensorRef): Constant => {
    if (tensor.length > inlineBytes) return constant(tensor, null);
    const bytes = new Uint8Array(tensor.length);
    source.read(tensor.path, tensor.offset, bytes);
    return constant(tensor, bytes);
  };

  // As the runtime sees it: entries without this flag mean nothing.
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
    const path = externalPath(file, entries.get("location") ?? "", `tensor "${name}"`, name);
    source.add(path);
    const offset =
      externalNumber(entries.get("offset"), 0) ??
      fail(`has the external offset ${JSON.stringify(entries.get("offset"))}`);
    const length =
      externalNumber(entries.get("length"), expected) ??
      fail(`has the external length ${JSON.stringify(entries.get("length"))}`);
    if (length !== expected)
      fail(`of ${count} ${dtype} elements needs ${expected} bytes, but its external data has ${length}`);
    if (offset + length > source.size(path)) {
      fail(`reaches to byte ${offset + length} of ${path}, which has only ${source.size(path)}`, offset);
    }
    return readInline(ref(path, offset, length));
  }

  // A message that stands in the file twice is merged by protobuf: it then has two marks.
  const marks = proto.$unknown?.filter((field) => field.no === payloadField) ?? [];
  const payloads = marks.flatMap((mark) => context.payloads[readVarint(mark.data)] ?? []);
  const raw = payloads.filter((payload) => payload.field === 9);
  if (raw.length > 0) {
    // A repeated singular field: the last one counts.
    const { offset, length } = raw.at(-1)!;
    if (length !== expected)
      fail(`of ${count} ${dtype} elements needs ${expected} bytes of raw data and has ${length}`, offset);
    return readInline(ref(file, offset, length));
  }
  const { field, bytes, numbers } = typedStorage(dtype);
  const runs = payloads.filter((payload) => payload.field === field && payload.length > 0);
  const run = runs.length === 1 ? runs[0] : undefined;
  const decoded = typedNumbers(proto, field);
  if (run !== undefined && bytes > 0 && (decoded.length === 0 || decoded.length * bytes === run.length)) {
    if (run.length !== expected)
      fail(`of ${count} ${dtype} elements needs ${expected} bytes and has ${run.length}`, run.offset);
    return readInline(ref(file, run.offset, run.length));
  }
  if (runs.every((payload) => payload.length <= inlineBytes)) {
    // Few elements, or elements that are not packed: onnx-buf has decoded them.
    if (decoded.length !== Math.ceil(count * numbers))
      fail(`has ${count} ${dtype} elements by its shape, but ${decoded.length} are stored`);
    const inline = encodeTyped(decoded, dtype, field, numbers);
    const maskable = run !== undefined && (dtype === "float16" || dtype === "bfloat16");
    return constant(maskable ? ref(file, run.offset, run.length, "varint") : ref("", 0, inline.byteLength), inline);
  }
  if (run !== undefined && decoded.length === 0) {
    if (run.length < count * numbers)
      fail(`has ${count} ${dtype} elements by its shape, more than its ${run.length} bytes can hold`, run.offset);
    return constant(ref(file, run.offset, run.length, "varint"), null);
  }
  return fail("stores its elements in several runs, which PruneScope does not read; save the model again with onnx");
}

function typedNumbers(proto: TensorProto, field: number): readonly (number | bigint)[] {
  switch (field) {
    case 4:
      return proto.floatData;
    case 7:
      return proto.int64Data;
    case 10:
      return proto.doubleData;
    case 11:
      return proto.uint64Data;
    default:
      return proto.int32Data;
  }
}

/** Typed elements as raw little-endian bytes. */
function encodeTyped(values: readonly (number | bigint)[], dtype: DType, field: number, numbers: number): Uint8Array {
  const size = numbers < 1 ? 1 : (byteLength(dtype, 1) ?? 1) / numbers;
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    const at = i * size;
    if (field === 4) view.setFloat32(at, Number(value), true);
    else if (field === 10) view.setFloat64(at, Number(value), true);
    else if (size === 8) view.setBigInt64(at, BigInt(value), true);
    else if (size === 4) view.setInt32(at, Number(value), true);
    else if (size === 2) view.setInt16(at, Number(value), true);
    else view.setInt8(at, Number(value));
  });
  return bytes;
}

function externalNumber(text: string | undefined, fallback: number): number | null {
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : null;
}

function readVarint(bytes: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < bytes.length; i++) value += (bytes[i]! & 0x7f) * 2 ** (7 * i);
  return value;
}
