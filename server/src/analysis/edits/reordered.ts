/**
 * The edit that reorders a stored tensor along any of its axes, byte by byte, whatever its elements are. One line is held
 * at a time: what lies under one index of the axes before the last that moves.
 */
import type { TensorEdit } from "../../formats/format.js";
import { storedElements } from "../../formats/stored-elements.js";
import type { Source } from "../../formats/source.js";
import type { AxisOrder } from "../../graph/channels/orders.js";
import type { Constant } from "../../graph/graph.js";
import { byteLength, elementCount, storedType } from "../../graph/tensor.js";

/** Neighbouring bytes that move together from this many on are read straight to their place. */
const longRun = 4096;

type Words = BigUint64Array | Uint16Array | Uint32Array | Uint8Array;

/**
 * Reorders the tensor of `constant`, which lies in a file of `source` and whose elements or codes are 1, 2, 4 or 8 bytes long.
 * @param orders one for each axis, null where it stays; at least one moves, and none depends on an axis behind it.
 */
export function reordered(source: Source, constant: Constant, orders: readonly (AxisOrder | null)[]): TensorEdit {
  const { name, tensor } = constant;
  const { shape } = tensor;
  const size = elementCount(shape);
  const elements = storedElements(source, { id: name, name, tensor, size, shape, dequantisation: null });
  const width = byteLength(storedType(tensor), 1)!;
  const last = orders.reduce((at, order, axis) => (order === null ? at : axis), 0);
  const length = shape[last]!;
  const run = elementCount(shape.slice(last + 1));
  const lines = new Lines(shape, orders, last);
  const read = (first: number, target: Uint8Array): void => {
    source.read(tensor.path, tensor.offset + first * width, target);
  };
  const direct = run * width >= longRun;
  const line = direct ? null : new Uint8Array(length * run * width);
  let held = -1;
  const edit: TensorEdit["edit"] = (bytes, start, count) => {
    const end = start + count;
    for (let at = start; at < end;) {
      const index = Math.floor(at / (length * run));
      const { from, order } = lines.at(index);
      const inLine = at - index * length * run;
      if (line === null) {
        const place = Math.floor(inLine / run);
        const inRun = inLine - place * run;
        const some = Math.min(run - inRun, end - at);
        const target = bytes.subarray((at - start) * width, (at - start + some) * width);
        read((from * length + order[place]!) * run + inRun, target);
        at += some;
        continue;
      }
      if (held !== index) {
        read(from * length * run, line);
        held = index;
      }
      const some = Math.min(length * run - inLine, end - at);
      gather(wordsOf(bytes, width), at - start, wordsOf(line, width), order, run, inLine, some);
      at += some;
    }
  };
  return { name, tensor, elements, edit };
}

/** Copies `count` elements of a line in its new order, from element `first` of it on, to place `to` of `target`. */
function gather(
  target: Words,
  to: number,
  line: Words,
  order: Uint32Array,
  run: number,
  first: number,
  count: number,
): void {
  let place = Math.floor(first / run);
  let inRun = first - place * run;
  for (let i = 0; i < count; place++, inRun = 0) {
    const start = order[place]! * run;
    for (; inRun < run && i < count; inRun++, i++) target[to + i] = line[start + inRun]!;
  }
}

/** Bytes as whole elements; the blocks of a file start at a multiple of 8. */
function wordsOf({ buffer, byteOffset, byteLength: bytes }: Uint8Array, width: number): Words {
  switch (width) {
    case 1:
      return new Uint8Array(buffer, byteOffset, bytes);
    case 2:
      return new Uint16Array(buffer, byteOffset, bytes / 2);
    case 4:
      return new Uint32Array(buffer, byteOffset, bytes / 4);
    default:
      return new BigUint64Array(buffer, byteOffset, bytes / 8);
  }
}

/** Which line of the tensor as it was each new line comes from, and the order along it. */
class Lines {
  /** Elements of one step of each axis before the last that moves, in lines. */
  readonly #strides: readonly number[];

  constructor(
    private readonly shape: readonly number[],
    private readonly orders: readonly (AxisOrder | null)[],
    private readonly last: number,
  ) {
    this.#strides = shape.slice(0, last).map((_, axis) => elementCount(shape.slice(axis + 1, last)));
  }

  at(line: number): { readonly from: number; readonly order: Uint32Array } {
    const places = this.#strides.map((stride, axis) => Math.floor(line / stride) % this.shape[axis]!);
    let from = 0;
    for (const [axis, stride] of this.#strides.entries()) {
      const order = this.orders[axis] ?? null;
      from += stride * (order === null ? places[axis]! : this.#orderAt(order, places)[places[axis]!]!);
    }
    return { from, order: this.#orderAt(this.orders[this.last]!, places) };
  }

  #orderAt({ by, orders }: AxisOrder, places: readonly number[]): Uint32Array {
    return by === null ? orders[0]! : orders[Math.floor((places[by]! * orders.length) / this.shape[by]!)]!;
  }
}
