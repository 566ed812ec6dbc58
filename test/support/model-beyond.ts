/** Models with weights beyond the reach of 32-bit numbers: external data in a file that is mostly holes. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { StringStringEntryProtoSchema, TensorProto_DataLocation, type TensorProto } from "onnx-buf";
import { elementCount } from "../../server/src/graph/tensor.js";
import { model, node, writeModel } from "./model-builder.js";
import { normals } from "./model-elements.js";
import { tensor, value } from "./model-tensors.js";

export interface PlacedWeight {
  readonly name: string;
  readonly shape: readonly [number, number];
  /** In `weights.bin`. */
  readonly offset: number;
  /** Leaves a hole where the numbers would be. */
  readonly hollow: boolean;
}

/** Writes a model that multiplies an input of its own by each weight, and its data, a file of `bytes`. @returns what the weights hold. */
export function writeBeyond(path: string, bytes: number, weights: readonly PlacedWeight[]): Map<string, Float32Array> {
  const fd = openSync(join(dirname(path), "weights.bin"), "w");
  const held = new Map<string, Float32Array>();
  try {
    ftruncateSync(fd, bytes);
    weights.forEach(({ name, shape, offset, hollow }, i) => {
      const numbers = Float32Array.from(hollow ? [] : normals(i + 1, elementCount(shape)));
      held.set(name, numbers);
      writeSync(fd, new Uint8Array(numbers.buffer), 0, numbers.byteLength, offset);
    });
  } finally {
    closeSync(fd);
  }
  writeModel(
    path,
    model({
      graph: {
        nodes: weights.map(({ name }) => node("MatMul", [`${name}_in`, name], [`${name}_out`])),
        inputs: weights.map(({ name, shape }) => value(`${name}_in`, "float", [1, shape[0]])),
        outputs: weights.map(({ name, shape }) => value(`${name}_out`, "float", [1, shape[1]])),
        initializers: weights.map(placed),
      },
    }),
  );
  return held;
}

function placed({ name, shape, offset }: PlacedWeight): TensorProto {
  const proto = tensor(name, "float", [0], []);
  proto.dims = shape.map(BigInt);
  proto.rawData = new Uint8Array(0);
  proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
  const entries = { location: "weights.bin", offset: String(offset), length: String(4 * elementCount(shape)) };
  proto.externalData = Object.entries(entries).map(([key, text]) =>
    create(StringStringEntryProtoSchema, { key, value: text }),
  );
  return proto;
}
