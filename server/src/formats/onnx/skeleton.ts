/**
 * Reads the structure of an ONNX file without its weights. The protobuf wire format is walked by range reads; every
 * large payload of a TensorProto is left out and its place in the file noted, everything else is copied. What comes out
 * is a small ModelProto that `onnx-buf` decodes, and each tensor in it carries, in a field number that ONNX does not
 * use, its index in the list of payloads. So a model of any size opens in the memory of its structure.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from "onnx-buf";
import type { Source } from "../source.js";
import { ruleOf, wires } from "./wire-rules.js";
import { WireWindow } from "./wire-window.js";

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

const payloadFields: ReadonlySet<number> = new Set([4, 5, 7, 9, 10, 11]);

/** `value_info` of GraphProto: shapes that nobody here asks for, and often more messages than all the rest. */
const valueInfoField = 13;

/** Most messages that are decoded: each becomes an object, however few bytes it has. The largest real models have a tenth. */
const maxMessages = 1_000_000;

/** Deepest nesting of messages; `onnx-buf` stops at the same depth. */
const maxDepth = 100;

/**
 * Walks the main file of `source`.
 * @throws PruneScopeError `malformed-model` with the byte offset of what does not fit.
 */
export function readSkeleton(source: Source): Skeleton {
  const walk = new Walk(source);
  walk.message(ModelProtoSchema, 0, source.size(source.main), 0, true);
  return { bytes: walk.writer.finish(), payloads: walk.payloads };
}

class Walk {
  readonly writer = new BinaryWriter();
  readonly payloads: Payload[][] = [];
  readonly #window: WireWindow;
  #messages = 0;

  constructor(source: Source) {
    this.#window = new WireWindow(source);
  }

  /**
   * Walks the message in [start, end) and checks it against its kind: `onnx-buf` believes lengths and wire types. With
   * `copies` it is written too, without the payloads of its tensors; `decoded` says whether it is, here or as a part.
   */
  message(kind: DescMessage, start: number, end: number, depth: number, copies: boolean, decoded = true): void {
    if (depth > maxDepth) this.#window.fail(start, `messages are nested more than ${maxDepth} deep`);
    if (decoded && ++this.#messages > maxMessages)
      this.#window.fail(start, `there are more than ${maxMessages} messages`);
    const rule = ruleOf(kind);
    const own: Payload[] = [];
    let copied = start;
    let graphs = 0;
    const leaveOut = (from: number, to: number): void => {
      this.#copy(copied, from);
      copied = to;
    };
    for (let at = start; at < end;) {
      const { field, wire, start: fieldStart, bodyStart, end: fieldEnd } = this.#window.field(at, end);
      at = fieldEnd;
      const known = rule.fields.get(field);
      if (known === undefined) {
        // A mark of ours that comes from outside would point anywhere.
        if (field === payloadField && copies) leaveOut(fieldStart, at);
        continue;
      }
      const packed = wire === wires.delimited ? known.packed : null;
      if (wire !== known.wire && packed === null)
        this.#window.fail(fieldStart, `field ${field} of a ${rule.name} has wire type ${wire}, not ${known.wire}`);
      // The end of a large payload is left unread; whoever decodes it counts its elements.
      if (packed !== null && at - bodyStart <= inlineBytes) this.#checkPacked(field, packed, bodyStart, at);
      if (known.message !== null) {
        if (known.message === GraphProtoSchema && kind === ModelProtoSchema && ++graphs > 1)
          this.#window.fail(fieldStart, "the model has two graphs");
        const goesOn = copies && ruleOf(known.message).leadsToTensors;
        const left = kind === GraphProtoSchema && field === valueInfoField;
        if (goesOn || left) leaveOut(fieldStart, at);
        if (goesOn) this.writer.tag(field, WireType.LengthDelimited).fork();
        this.message(known.message, bodyStart, at, depth + 1, goesOn, decoded && !left);
        if (goesOn) this.writer.join();
      } else if (kind === TensorProtoSchema && wire === wires.delimited && payloadFields.has(field)) {
        const payload = { field, offset: bodyStart, length: at - bodyStart };
        own.push(payload);
        if (payload.length > inlineBytes) leaveOut(fieldStart, at);
      }
    }
    if (!copies) return;
    this.#copy(copied, end);
    if (kind === TensorProtoSchema) {
      this.writer.tag(payloadField, WireType.Varint).uint32(this.payloads.length);
      this.payloads.push(own);
    }
  }

  /** Packed elements end where their field ends, or the decoder would run into the next one. */
  #checkPacked(field: number, elementBytes: number, start: number, end: number): void {
    const whole =
      elementBytes > 0 ? (end - start) % elementBytes === 0 : start === end || this.#window.byte(end - 1) < 0x80;
    if (!whole) this.#window.fail(start, `the last element of field ${field} is cut off`);
  }

  #copy(start: number, end: number): void {
    if (end > start) this.writer.raw(this.#window.bytes(start, end));
  }
}
