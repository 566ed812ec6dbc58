/**
 * Reads the structure of an ONNX file without its weights. The protobuf wire format is walked by range reads; every
 * large payload of a TensorProto is left out and its place in the file noted, everything else is copied. What comes out
 * is a small ModelProto that `onnx-buf` decodes, and each tensor in it carries, in a field number that ONNX does not
 * use, its index in the list of payloads. So a model of any size opens in the memory of its structure.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Source } from "../source.js";

/** Field number that marks a TensorProto of the skeleton with its payload index. */
export const payloadField = 536_870_911 - 7;

/** Payloads up to this many bytes stay in the skeleton: shapes, axes, scales. */
export const inlineBytes = 4096;

/** One run of elements of a TensorProto in the file. */
export interface Payload {
  /** Field of TensorProto: 9 raw_data, 4 float_data, 5 int32_data, 7 int64_data, 10 double_data, 11 uint64_data. */
  readonly field: number;
  readonly offset: number;
  readonly length: number;
}

export interface Skeleton {
  readonly bytes: Uint8Array;
  /** For each tensor, in the order of their marks: its payloads, packed ones only. */
  readonly payloads: readonly (readonly Payload[])[];
}

/** Wire types as plain numbers: what is in the file may be none of them. */
const wires: Readonly<Record<"varint" | "bit64" | "delimited" | "bit32", number>> = {
  varint: WireType.Varint,
  bit64: WireType.Bit64,
  delimited: WireType.LengthDelimited,
  bit32: WireType.Bit32,
};

type Message = "model" | "graph" | "node" | "attribute" | "tensor" | "sparse" | "function" | "training";

/** Fields through which tensors are reached, from onnx.proto. */
const children: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: "graph", 20: "training", 25: "function" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  tensor: {},
  sparse: { 1: "tensor", 2: "tensor" },
  function: { 7: "node", 11: "attribute" },
  training: { 1: "graph", 2: "graph" },
};

const payloadFields: ReadonlySet<number> = new Set([4, 5, 7, 9, 10, 11]);

/** Deepest nesting of messages; `onnx-buf` stops at the same depth. */
const maxDepth = 100;

/** Bytes read at a time. */
const windowBytes = 64 * 1024;

/**
 * Walks the main file of `source`.
 * @throws PruneScopeError `malformed-model` with the byte offset of what does not fit.
 */
export function readSkeleton(source: Source): Skeleton {
  const walk = new Walk(source);
  walk.message("model", 0, source.size(source.main), 0);
  return { bytes: walk.writer.finish(), payloads: walk.payloads };
}

class Walk {
  readonly writer = new BinaryWriter();
  readonly payloads: Payload[][] = [];
  readonly #source: Source;
  readonly #window = new Uint8Array(windowBytes);
  #windowStart = 0;
  #windowEnd = 0;
  readonly #fileSize: number;

  constructor(source: Source) {
    this.#source = source;
    this.#fileSize = source.size(source.main);
  }

  /** Copies the message in [start, end) to the writer, descending where tensors can be. */
  message(kind: Message, start: number, end: number, depth: number): void {
    if (depth > maxDepth) this.#fail(start, `messages are nested more than ${maxDepth} deep`);
    const into = children[kind];
    const own: Payload[] = [];
    let copied = start;
    let graphs = 0;
    for (let at = start; at < end;) {
      const fieldStart = at;
      const tag = this.#varint(at, end);
      const field = Math.floor(tag.value / 8);
      const wire = tag.value % 8;
      if (field === 0) this.#fail(at, "a field has number 0");
      at = tag.next;
      let bodyStart = at;
      if (wire === wires.varint) at = this.#varint(at, end).next;
      else if (wire === wires.bit64) at += 8;
      else if (wire === wires.bit32) at += 4;
      else if (wire === wires.delimited) {
        const length = this.#varint(at, end);
        bodyStart = length.next;
        at = bodyStart + length.value;
      } else this.#fail(fieldStart, `wire type ${wire} is not used by ONNX`);
      if (at > end) this.#fail(fieldStart, `field ${field} runs ${at - end} bytes past the end of its message`);

      const child = into[field];
      if (child !== undefined) {
        if (wire !== wires.delimited)
          this.#fail(fieldStart, `field ${field} of a ${kind} has wire type ${wire}, not 2`);
        if (kind === "model" && child === "graph" && ++graphs > 1) this.#fail(fieldStart, "the model has two graphs");
        this.#copy(copied, fieldStart);
        this.writer.tag(field, WireType.LengthDelimited).fork();
        this.message(child, bodyStart, at, depth + 1);
        this.writer.join();
        copied = at;
      } else if (kind === "tensor" && field === payloadField) {
        this.#copy(copied, fieldStart);
        copied = at;
      } else if (kind === "tensor" && wire === wires.delimited && payloadFields.has(field)) {
        const payload = { field, offset: bodyStart, length: at - bodyStart };
        own.push(payload);
        if (payload.length > inlineBytes) {
          this.#copy(copied, fieldStart);
          copied = at;
        }
      }
    }
    this.#copy(copied, end);
    if (kind === "tensor") {
      this.writer.tag(payloadField, WireType.Varint).uint32(this.payloads.length);
      this.payloads.push(own);
    }
  }

  #copy(start: number, end: number): void {
    if (end <= start) return;
    const chunk = new Uint8Array(end - start);
    if (start >= this.#windowStart && end <= this.#windowEnd) {
      chunk.set(this.#window.subarray(start - this.#windowStart, end - this.#windowStart));
    } else this.#source.read(this.#source.main, start, chunk);
    this.writer.raw(chunk);
  }

  /** An unsigned varint of up to 10 bytes; exact up to 2^53, beyond that merely too large for any length. */
  #varint(at: number, end: number): { readonly value: number; readonly next: number } {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) this.#fail(at, "a number is cut off");
      const byte = this.#byte(at + i);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, next: at + i + 1 };
      scale *= 128;
    }
    return this.#fail(at, "a number has more than 10 bytes");
  }

  #byte(at: number): number {
    if (at < this.#windowStart || at >= this.#windowEnd) {
      this.#windowStart = at;
      this.#windowEnd = Math.min(at + windowBytes, this.#fileSize);
      this.#source.read(this.#source.main, at, this.#window.subarray(0, this.#windowEnd - at));
    }
    return this.#window[at - this.#windowStart]!;
  }

  #fail(offset: number, what: string): never {
    throw new PruneScopeError(
      "malformed-model",
      `${this.#source.main} is not a valid ONNX file: at byte ${offset}, ${what}.`,
      {
        file: this.#source.main,
        offset,
      },
    );
  }
}
