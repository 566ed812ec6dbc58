/** Tensors reordered in their files: against gathering element by element, for every width, axis and length of run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DType } from "../../../server/protocol/model.js";
import { reordered } from "../../../server/src/analysis/edits/reordered.js";
import { withModel } from "../../../server/src/analysis/open-model.js";
import type { AxisOrder } from "../../../server/src/graph/channels/orders.js";
import { byteLength, elementCount } from "../../../server/src/graph/tensor.js";
import { uniform } from "../../support/arrays.js";
import { ModelFolder } from "../../support/model-folder.js";
import { ExternalFile, model, node, tensor, value, wholes } from "../../support/models.js";
import { writeCopy } from "../../support/write-copy.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const shuffled = (length: number, seed: number): Uint32Array => {
  const random = uniform(seed);
  const keys = Array.from({ length }, () => random());
  return Uint32Array.from(keys.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!));
};

/** Bytes of the tensor `w`, of this type and shape, before and after it is reordered. */
async function both(
  dtype: DType,
  shape: readonly number[],
  orders: readonly (AxisOrder | null)[],
  outside = false,
): Promise<{ before: Buffer; after: Buffer; rest: boolean }> {
  const file = new ExternalFile("w.bin");
  file.append(Uint8Array.of(1, 2, 3));
  const values = wholes(3, elementCount(shape), -100, 100);
  const made = model({
    external: outside ? [file] : [],
    graph: {
      nodes: [node("Identity", ["w"], ["y"])],
      outputs: [value("y", dtype, shape)],
      initializers: [tensor("w", dtype, shape, values, outside ? { file } : "raw")],
    },
  });
  const place = folder.place();
  const path = folder.write(outside ? "outside.onnx" : "inside.onnx", made);
  return withModel(path, async (open) => {
    const constant = open.model.graph.constants.get("w")!;
    const target = await writeCopy(place, open, [], [reordered(open.source, constant, orders)]);
    const { offset, length } = constant.tensor;
    const copy = outside ? join(place, "w.bin") : target;
    const [old, now] = [readFileSync(constant.tensor.path), readFileSync(copy)];
    const [before, after] = [old, now].map((bytes) => Buffer.from(bytes.subarray(offset, offset + length))) as [
      Buffer,
      Buffer,
    ];
    now.fill(before, offset, offset + length);
    return { before, after, rest: now.equals(old) };
  });
}

/** The same, element by element. */
function gathered(
  bytes: Buffer,
  width: number,
  shape: readonly number[],
  orders: readonly (AxisOrder | null)[],
): Buffer {
  const made = Buffer.alloc(bytes.length);
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  for (let at = 0; at < elementCount(shape); at++) {
    const places = strides.map((stride, axis) => Math.floor(at / stride) % shape[axis]!);
    const from = places.map((place, axis) => {
      const order = orders[axis] ?? null;
      if (order === null) return place;
      const part = order.by === null ? 0 : Math.floor((places[order.by]! * order.orders.length) / shape[order.by]!);
      return order.orders[part]![place]!;
    });
    const source = from.reduce((sum, place, axis) => sum + place * strides[axis]!, 0);
    bytes.copy(made, at * width, source * width, (source + 1) * width);
  }
  return made;
}

const whole = (length: number, seed: number): AxisOrder => ({ by: null, orders: [shuffled(length, seed)] });

/** Outputs that stay in their group of four. */
const inGroups: AxisOrder = {
  by: null,
  orders: [Uint32Array.from({ length: 12 }, (_, i) => 4 * Math.floor(i / 4) + [2, 0, 3, 1][i % 4]!)],
};

const cases: Readonly<Record<string, readonly [readonly number[], readonly (AxisOrder | null)[]]>> = {
  "a vector": [[300], [whole(300, 1)]],
  "outputs, whose runs are short": [
    [24, 10],
    [whole(24, 1), null],
  ],
  "outputs, whose runs are longer than a page": [
    [6, 40, 60],
    [whole(6, 1), null, null],
  ],
  "inputs, a kernel behind them": [
    [5, 16, 3, 3],
    [null, whole(16, 2), null, null],
  ],
  "inputs and outputs": [
    [12, 16, 3],
    [whole(12, 1), whole(16, 2), null],
  ],
  "three axes, lines across blocks of 65,536": [
    [7, 300, 40],
    [whole(7, 1), whole(300, 2), whole(40, 3)],
  ],
  "inputs in each group of outputs": [
    [12, 8, 3],
    [inGroups, { by: 0, orders: [1, 2, 3].map((seed) => shuffled(8, seed)) }, null],
  ],
};
describe("a reordered tensor", () => {
  it.each(Object.entries(cases))("%s", async (_, [shape, orders]) => {
    const { before, after, rest } = await both("float", shape, orders);
    expect(after.equals(gathered(before, 4, shape, orders))).toBe(true);
    expect(after.equals(before)).toBe(false);
    expect(rest).toBe(true);
  });

  it.each(["int8", "uint8", "float16", "bfloat16", "int16", "int32", "float", "double", "int64"] as const)(
    "of %s, in a file of its own that starts at an odd place",
    async (dtype) => {
      const shape = [12, 16, 3];
      const orders = [whole(12, 1), whole(16, 2), null];
      const { before, after, rest } = await both(dtype, shape, orders, true);
      expect(after.equals(gathered(before, byteLength(dtype, 1)!, shape, orders))).toBe(true);
      expect(rest).toBe(true);
    },
  );
});
