/**
 * Mutations of bytes: what a broken disk, a cut transfer or a careless attacker does. Most of a model's bytes are
 * weights, where nothing can go wrong, so most mutations are aimed at what lies between them.
 */
import type { Random } from "./random.js";

/** A model as bytes, and where its structure is. */
export interface ByteModel {
  readonly bytes: Uint8Array;
  /** Offsets of the first bytes of fields, of all messages through which tensors are reached. */
  readonly fields: readonly Field[];
}

/** A field in the file: tag from `start`, length or value from `body`, next field at `end`. */
export interface Field {
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** Numbers of fields through which tensors are reached, by the path of numbers that leads to a message. */
const inside: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: "graph", 25: "function" },
  graph: { 1: "node", 5: "tensor", 11: "value", 12: "value" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph" },
  function: { 7: "node" },
  tensor: {},
  value: {},
};

function readVarint(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let at = from, scale = 1; ; at++, scale *= 128) {
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return { value, next: at + 1 };
  }
}

/** Finds the fields of a sound model. */
export function byteModel(bytes: Uint8Array): ByteModel {
  const fields: Field[] = [];
  const visit = (kind: string, start: number, end: number): void => {
    for (let at = start; at < end;) {
      const tag = readVarint(bytes, at);
      const wire = tag.value % 8;
      const length = wire === 2 ? readVarint(bytes, tag.next) : null;
      const next =
        length !== null
          ? length.next + length.value
          : wire === 0
            ? readVarint(bytes, tag.next).next
            : tag.next + (wire === 1 ? 8 : 4);
      fields.push({ start: at, body: tag.next, end: next });
      const child = inside[kind]?.[Math.floor(tag.value / 8)];
      if (child !== undefined && length !== null) visit(child, length.next, next);
      at = next;
    }
  };
  visit("model", 0, bytes.length);
  return { bytes, fields };
}

/** An offset: nine times in ten near the beginning of a field. */
function somewhere({ bytes, fields }: ByteModel, random: Random): number {
  if (random.chance(0.1)) return random.below(bytes.length);
  return Math.min(bytes.length - 1, random.of(fields).start + random.below(12));
}

/** `bytes` with [from, to) replaced. */
function replaced(bytes: Uint8Array, from: number, to: number, by: Uint8Array): Uint8Array {
  const result = new Uint8Array(from + by.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(by, from);
  result.set(bytes.subarray(to), from + by.length);
  return result;
}

function varint(value: bigint, padding = 0): Uint8Array {
  const list: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    list.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    if (rest <= 0x7fn) break;
  }
  // The same number in more bytes than it needs.
  for (let i = 0; i < padding; i++) {
    list[list.length - 1] = list.at(-1)! | 0x80;
    list.push(0);
  }
  return Uint8Array.from(list);
}

const lengths = [
  0n,
  1n,
  127n,
  128n,
  65_535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n + 5n,
  2n ** 53n,
  2n ** 64n - 1n,
];

export const byteMutations: Readonly<Record<string, (model: ByteModel, random: Random) => Uint8Array>> = {
  "bit flips": (model, random) => {
    const bytes = model.bytes.slice();
    for (let n = 1 + random.below(8); n > 0; n--) {
      const at = somewhere(model, random);
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
    }
    return bytes;
  },
  "changed bytes": (model, random) => {
    const bytes = model.bytes.slice();
    for (let n = 1 + random.below(6); n > 0; n--)
      bytes[somewhere(model, random)] = random.of([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    return bytes;
  },
  "copied field": ({ bytes, fields }, random) => {
    const field = random.of(fields);
    const at = random.of(fields).start;
    return replaced(bytes, at, at, bytes.subarray(field.start, Math.min(field.end, field.start + 5000)));
  },
  "cut out": (model, random) => {
    const from = somewhere(model, random);
    return replaced(
      model.bytes,
      from,
      Math.min(model.bytes.length, from + 1 + random.below(random.of([4, 100, 100_000]))),
      new Uint8Array(0),
    );
  },
  "deleted field": ({ bytes, fields }, random) => {
    const { start, end } = random.of(fields);
    return replaced(bytes, start, end, new Uint8Array(0));
  },
  inserted: (model, random) => {
    const at = somewhere(model, random);
    return replaced(
      model.bytes,
      at,
      at,
      Uint8Array.from({ length: 1 + random.below(30) }, () => random.below(256)),
    );
  },
  "length or number changed": ({ bytes, fields }, random) => {
    const { body } = random.of(fields);
    const { value, next } = readVarint(bytes, body);
    const near = BigInt(Math.max(0, value + random.below(9) - 4));
    const made = random.chance(0.5) ? near : random.of(lengths);
    return replaced(bytes, body, next, varint(made, random.chance(0.2) ? random.below(9) : 0));
  },
  "swapped ranges": (model, random) => {
    const bytes = model.bytes.slice();
    const length = 1 + random.below(random.of([8, 200, 20_000]));
    const from = somewhere(model, random);
    bytes.copyWithin(somewhere(model, random), from, from + length);
    return bytes;
  },
  "tag changed": ({ bytes, fields }, random) => {
    const { start, body } = random.of(fields);
    const { value } = readVarint(bytes, start);
    const wire = BigInt(random.below(8));
    const field = random.chance(0.5)
      ? BigInt(Math.floor(value / 8))
      : BigInt(random.of([0, 1, 5, 6, 9, 14, 25, 2 ** 29, 536_870_904]));
    return replaced(bytes, start, body, varint(field * 8n + wire));
  },
  truncated: (model, random) => model.bytes.subarray(0, somewhere(model, random)),
};
