/** Bytes of an ONNX file read through a window, and the protobuf wire format on them: varints, tags, where a field ends. */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Source } from "../source.js";
import { wires } from "./wire-rules.js";

/** Bytes read at a time. */
const windowBytes = 64 * 1024;

/** A number, and where what follows it begins. */
export interface Varint {
  readonly value: number;
  readonly next: number;
}

/** One field of a message: its tag at `start`, what it holds from `bodyStart` on, the next field at `end`. */
export interface WireField {
  readonly field: number;
  readonly wire: number;
  readonly start: number;
  /** Behind the length of a delimited field, behind the tag of any other. */
  readonly bodyStart: number;
  readonly end: number;
}

/** The main file of a source. */
export class WireWindow {
  readonly #source: Source;
  readonly #fileSize: number;
  readonly #window = new Uint8Array(windowBytes);
  #start = 0;
  #end = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#fileSize = source.size(source.main);
  }

  /**
   * The field whose tag lies at `at`, in a message that ends at `end`.
   * @throws PruneScopeError `malformed-model` with the byte offset of what does not fit.
   */
  field(at: number, end: number): WireField {
    const tag = this.#varint(at, end);
    const field = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    if (field === 0 || tag.value > 0xffffffff) this.fail(at, `a field has number ${field}`);
    let bodyStart = tag.next;
    let next = bodyStart;
    if (wire === wires.varint) next = this.#varint(bodyStart, end).next;
    else if (wire === wires.bit64) next += 8;
    else if (wire === wires.bit32) next += 4;
    else if (wire === wires.delimited) {
      const length = this.#varint(bodyStart, end);
      bodyStart = length.next;
      next = bodyStart + length.value;
    } else this.fail(at, `wire type ${wire} is not used by ONNX`);
    if (next > end) this.fail(at, `field ${field} runs ${next - end} bytes past the end of its message`);
    return { field, wire, start: at, bodyStart, end: next };
  }

  /** Fields of the message in [start, end), one after the other. */
  *fields(start: number, end: number): Iterable<WireField> {
    for (let at = start; at < end;) {
      const one = this.field(at, end);
      yield one;
      at = one.end;
    }
  }

  /** A copy of the bytes in [start, end). */
  bytes(start: number, end: number): Uint8Array<ArrayBuffer> {
    const chunk = new Uint8Array(end - start);
    if (start >= this.#start && end <= this.#end)
      chunk.set(this.#window.subarray(start - this.#start, end - this.#start));
    else this.#source.read(this.#source.main, start, chunk);
    return chunk;
  }

  byte(at: number): number {
    if (at < this.#start || at >= this.#end) {
      this.#start = at;
      this.#end = Math.min(at + windowBytes, this.#fileSize);
      this.#source.read(this.#source.main, at, this.#window.subarray(0, this.#end - at));
    }
    return this.#window[at - this.#start]!;
  }

  /** An unsigned varint of up to 10 bytes; exact up to 2^53, beyond that merely too large for any length. */
  #varint(at: number, end: number): Varint {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) this.fail(at, "a number is cut off");
      const byte = this.byte(at + i);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, next: at + i + 1 };
      scale *= 128;
    }
    return this.fail(at, "a number has more than 10 bytes");
  }

  fail(offset: number, what: string): never {
    throw new PruneScopeError(
      "malformed-model",
      `${this.#source.main} is not a valid ONNX file: at byte ${offset}, ${what}.`,
      { file: this.#source.main, offset },
    );
  }
}
