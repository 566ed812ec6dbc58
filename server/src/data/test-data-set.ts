/**
 * ONNX's form of test data: a folder of `input_0.pb`, `input_1.pb` …, each a TensorProto, or several such folders named
 * `test_data_set_0` and on, whose runs are put one after the other as samples.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type TensorProto, TensorProto_DataLocation, TensorProtoSchema } from "onnx-buf";
import { PruneScopeError } from "../../protocol/errors.js";
import { checkedShape } from "../formats/onnx/tensor.js";
import type { Graph } from "../graph/graph.js";
import { dtypeByCode, elementCount } from "../graph/tensor.js";
import { type DataArray, isNumeric, makeValues, valuesOf } from "./array.js";
import type { Collection } from "./collection.js";
import type { DataOptions } from "./dataset.js";
import { fitShape, sampledInputs } from "./sample-axis.js";
import { affordableBytes, concatenated, heldArray, type StoredArray } from "./stored-array.js";

const setName = /^test_data_set_(\d+)$/;
const fileName = /^(input|output)_(\d+)\.pb$/;

/** Whether a folder with entries `names` holds test data, in itself or in sub-folders. */
export function holdsTestData(folder: string, names: readonly string[]): boolean {
  if (names.includes("input_0.pb")) return true;
  return names.some((name) => setName.test(name) && statSync(join(folder, name)).isDirectory());
}

/** One tensor of one set. */
interface Part {
  readonly file: string;
  readonly array: DataArray;
}

/**
 * @throws PruneScopeError `missing-data` for an input without a file in some set, `unsupported-format` for a file that
 * is no tensor of numbers, `shape-mismatch` where sets differ in more than their samples.
 */
export function testDataCollection(
  folder: string,
  names: readonly string[],
  graph: Graph,
  { outputsAsTargets = false }: Pick<DataOptions, "outputsAsTargets">,
): Collection {
  const numbered = names.filter((name) => setName.test(name));
  const number = (name: string): number => Number(setName.exec(name)?.[1]);
  const sets = names.includes("input_0.pb")
    ? [folder]
    : numbered.sort((a, b) => number(a) - number(b)).map((name) => join(folder, name));
  const inputs = new Map<string, Part[]>();
  const outputs = new Map<string, Part[]>();
  let bytes = 0;
  for (const set of sets) {
    for (const name of readdirSync(set)) {
      const [, kind, index] = fileName.exec(name) ?? [];
      if (kind === undefined || (kind === "output" && !outputsAsTargets)) continue;
      const file = join(set, name);
      bytes = affordableBytes(bytes + statSync(file).size, 1, `The test data in ${folder}`, folder);
      const tensor = readTensorFile(file);
      const values = kind === "input" ? graph.inputs : graph.outputs;
      const value = values.find((one) => one.name === tensor.name) ?? values[Number(index)];
      if (value === undefined) {
        throw new PruneScopeError(
          "shape-mismatch",
          `${file} is for ${kind} ${index}, and the model has ${values.length} ${kind}s.`,
          { file },
        );
      }
      const parts = kind === "input" ? inputs : outputs;
      parts.set(value.name, [...(parts.get(value.name) ?? []), { file, array: decode(tensor, file) }]);
    }
  }
  const joined = new Map<string, StoredArray>();
  for (const one of sampledInputs(graph.inputs)) {
    const { name } = one.input;
    const parts = inputs.get(name) ?? [];
    if (parts.length !== sets.length) {
      throw new PruneScopeError(
        "missing-data",
        `${folder} holds ${parts.length} tensors for input "${name}" in ${sets.length} sets; one in each is needed.`,
        { file: folder, value: name },
      );
    }
    const fitted = parts.map(({ file, array }) => ({
      file,
      array: { ...array, shape: fitShape(one, array.shape, `The tensor in ${file}`, file) },
    }));
    joined.set(name, joinParts(fitted, one.axis, folder));
  }
  const targets = new Map<string | null, StoredArray>();
  for (const [name, parts] of outputs) targets.set(name, joinParts(parts, 0, folder));
  return {
    kind: "test-data-set",
    file: folder,
    title: basename(folder),
    inputs: joined,
    labels: null,
    targets,
    notes: [],
  };
}

/** The parts of all sets as one array along `axis`; without an axis they must be equal. */
function joinParts(parts: readonly Part[], axis: number | null, folder: string): StoredArray {
  const first = parts[0]!;
  for (const { file, array } of parts) {
    const alike =
      array.dtype === first.array.dtype &&
      array.shape.length === first.array.shape.length &&
      array.shape.every((dim, i) => i === axis || dim === first.array.shape[i]) &&
      (axis !== null || array.values.every((value: number | bigint, i: number) => value === first.array.values[i]));
    if (alike) continue;
    throw new PruneScopeError(
      "shape-mismatch",
      axis === null
        ? `${file} differs from ${first.file}, and the model takes one such value for all samples.`
        : `${file} holds ${array.dtype} [${array.shape.join(", ")}] and ${first.file} ${first.array.dtype} [${first.array.shape.join(", ")}]: they cannot be samples of one kind.`,
      { file },
    );
  }
  const label = parts.length === 1 ? `The tensor in ${first.file}` : `${basename(first.file)} in the sets of ${folder}`;
  const arrays = parts.map(({ array }) => array);
  return heldArray(axis === null || arrays.length === 1 ? first.array : concatenated(arrays, axis), label, first.file);
}

function readTensorFile(file: string): TensorProto {
  try {
    return fromBinary(TensorProtoSchema, readFileSync(file));
  } catch (error) {
    throw new PruneScopeError(
      "unsupported-format",
      `${file} is no tensor in ONNX's form: ${(error as Error).message}.`,
      { file },
      { cause: error },
    );
  }
}

function decode(tensor: TensorProto, file: string): DataArray {
  const refuse = (why: string): never => {
    throw new PruneScopeError("unsupported-format", `${file} cannot be read: ${why}.`, { file });
  };
  const dtype = dtypeByCode[tensor.dataType] ?? null;
  if (dtype === null || !isNumeric(dtype))
    return refuse(`its elements are ${dtype ?? "of no known type"}, and numbers are needed`);
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) refuse("its elements lie in another file");
  const shape = checkedShape(tensor.dims, tensor.name, file);
  const count = elementCount(shape);
  const itemBytes = makeValues(dtype, 0).BYTES_PER_ELEMENT;
  if (tensor.rawData.length > 0) {
    if (tensor.rawData.length !== count * itemBytes)
      refuse(
        `its shape [${shape.join(", ")}] needs ${count * itemBytes} bytes, and there are ${tensor.rawData.length}`,
      );
    return { dtype, shape, values: valuesOf(dtype, Uint8Array.from(tensor.rawData)) };
  }
  const { floatData, doubleData, int64Data, uint64Data, int32Data } = tensor;
  const typed: readonly (number | bigint)[] =
    dtype === "float"
      ? floatData
      : dtype === "double"
        ? doubleData
        : dtype === "int64"
          ? int64Data
          : dtype === "uint64" || dtype === "uint32"
            ? uint64Data
            : int32Data;
  if (typed.length !== count)
    refuse(`its shape [${shape.join(", ")}] needs ${count} elements, and there are ${typed.length}`);
  const values = makeValues(dtype, count);
  const big = dtype === "int64" || dtype === "uint64";
  for (let i = 0; i < count; i++) values[i] = big ? BigInt(typed[i]!) : Number(typed[i]);
  return { dtype, shape, values };
}
