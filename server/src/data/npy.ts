/**
 * NumPy's .npy format (NEP 1, versions 1 to 3). Our own reader, because `npyjs` reads big-endian and Fortran-ordered
 * arrays wrongly or not at all, and cannot read some samples of a large array.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { elementCount, maxRank } from "../graph/tensor.js";
import { type DataArray, makeValues, type NumericType, valuesOf } from "./array.js";
import { affordableBytes, type ByteSource, rangesOf, type StoredArray } from "./stored-array.js";

interface Header {
  readonly dtype: NumericType;
  readonly itemBytes: number;
  readonly bigEndian: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

/** Element types by NumPy's kind and size. */
const dtypes: Readonly<Record<string, NumericType>> = {
  b1: "bool",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  f2: "float16",
  f4: "float",
  f8: "double",
};

/** Why arrays of other kinds cannot be used. */
const otherKinds: Readonly<Record<string, string>> = {
  U: "text",
  S: "text",
  O: "Python objects, which are never loaded",
  c: "complex numbers",
  M: "dates",
  m: "time spans",
  V: "raw bytes",
};

/** Longest header that is read; NumPy itself refuses 10,000 characters. */
const maxHeader = 1 << 16;

/**
 * The array that `source` holds in .npy form.
 * @throws PruneScopeError `unsupported-format` when it is none, is cut off, or has elements that are no numbers.
 */
export async function npyArray(source: ByteSource, label: string, file: string): Promise<StoredArray> {
  const header = await readHeader(source, label, file);
  const { dtype, itemBytes, shape, dataOffset } = header;
  const needed = dataOffset + elementCount(shape) * itemBytes;
  if (needed > source.size) {
    throw new PruneScopeError(
      "unsupported-format",
      `${label} is cut off: its shape [${shape.join(", ")}] needs ${needed} bytes, and there are ${source.size}.`,
      { file },
    );
  }
  return { label, file, dtype, shape, read: (axis, rows) => readRows(source, header, axis, rows, label, file) };
}

async function readHeader(source: ByteSource, label: string, file: string): Promise<Header> {
  const refuse = (why: string): never => {
    throw new PruneScopeError("unsupported-format", `${label} cannot be read: ${why}.`, { file });
  };
  const head = new Uint8Array(12);
  if (source.size < head.length) refuse("it is too short for a .npy file");
  await source.collect([{ offset: 0, length: head.length }], head);
  if (String.fromCharCode(...head.subarray(0, 6)) !== "\x93NUMPY") refuse("it does not begin like a .npy file");
  const view = new DataView(head.buffer);
  const version = head[6]!;
  if (version < 1 || version > 3) refuse(`its .npy version is ${version}, and 1 to 3 are known`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeader || start + length > source.size) refuse(`its header says that it is ${length} bytes long`);
  const bytes = new Uint8Array(length);
  await source.collect([{ offset: start, length }], bytes);
  const text = new TextDecoder("latin1").decode(bytes);

  const descr = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z?])(\d*)[^']*'/.exec(text);
  if (descr === null) refuse("its elements are records of several fields");
  const [, order = "", kind = "", size = ""] = descr ?? [];
  const dtype = dtypes[kind + size];
  if (dtype === undefined)
    return refuse(`its elements are ${otherKinds[kind] ?? `of NumPy's type ${kind}${size}`}, and numbers are needed`);
  const order2 = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const dims = /'shape'\s*:\s*\(([\dL,\s]*)\)/.exec(text)?.[1];
  if (order2 === undefined || dims === undefined) return refuse("its header has no shape or order");
  const shape = dims
    .split(",")
    .map((dim) => dim.trim().replace(/L$/, ""))
    .filter((dim) => dim !== "")
    .map(Number);
  if (shape.length > maxRank || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(elementCount(shape)))
    refuse(`its shape (${dims}) cannot be`);
  return {
    dtype,
    itemBytes: Number(size),
    bigEndian: order === ">",
    fortran: order2 === "True",
    shape,
    dataOffset: start + length,
  };
}

async function readRows(
  source: ByteSource,
  { dtype, itemBytes, bigEndian, fortran, shape, dataOffset }: Header,
  axis: number,
  rows: readonly number[] | null,
  label: string,
  file: string,
): Promise<DataArray> {
  const read = rows === null ? shape : shape.map((dim, i) => (i === axis ? rows.length : dim));
  const bytes = new Uint8Array(affordableBytes(elementCount(read), itemBytes, label, file));
  // Column-major order is row-major order of the reversed shape.
  const ranges = fortran
    ? rangesOf([...shape].reverse(), shape.length - 1 - axis, rows, itemBytes)
    : rangesOf(shape, axis, rows, itemBytes);
  await source.collect(shifted(ranges, dataOffset), bytes);
  if (bigEndian) swapBytes(bytes, itemBytes);
  const values = valuesOf(dtype, bytes);
  return fortran && shape.length > 1 ? rowMajor({ dtype, shape: read, values }) : { dtype, shape: read, values };
}

function* shifted(ranges: ReturnType<typeof rangesOf>, by: number): ReturnType<typeof rangesOf> {
  for (const { offset, length } of ranges) yield { offset: offset + by, length };
}

function swapBytes(bytes: Uint8Array<ArrayBuffer>, itemBytes: number): void {
  const buffer = Buffer.from(bytes.buffer);
  if (itemBytes === 2) buffer.swap16();
  else if (itemBytes === 4) buffer.swap32();
  else if (itemBytes === 8) buffer.swap64();
}

/** From column-major to row-major order. */
function rowMajor({ dtype, shape, values }: DataArray): DataArray {
  const out = makeValues(dtype, values.length);
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  for (let i = 0, from = 0; i < values.length; i++) {
    out[i] = values[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype, shape, values: out };
}
