/**
 * How the fields of ONNX's messages look on the wire, from the descriptors of `onnx-buf`. Its decoder believes wire
 * types: a string that claims to be a number would make it read on at another place than we do.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { TensorProtoSchema } from "onnx-buf";

/** Wire types as plain numbers: what is in the file may be none of them. */
export const wires: Readonly<Record<"varint" | "bit64" | "delimited" | "bit32", number>> = {
  varint: WireType.Varint,
  bit64: WireType.Bit64,
  delimited: WireType.LengthDelimited,
  bit32: WireType.Bit32,
};

/** What a field of a message may look like on the wire. */
interface FieldRule {
  readonly wire: number;
  /** Bytes of a packed element, 0 for varints; null where elements are not packed. */
  readonly packed: number | null;
  /** The message that the field holds; null when it holds none. */
  readonly message: DescMessage | null;
}

/** A kind of message, from onnx.proto. */
export interface MessageRule {
  readonly name: string;
  readonly fields: ReadonlyMap<number, FieldRule>;
  /** Whether tensors can be reached through it: others are checked and copied whole. */
  readonly leadsToTensors: boolean;
}

const rules = new Map<DescMessage, MessageRule>();

/** The rule of a kind of message; made once. */
export function ruleOf(kind: DescMessage): MessageRule {
  let rule = rules.get(kind);
  if (rule === undefined) {
    const fields = new Map(kind.fields.map((field) => [field.number, fieldRule(field)]));
    rules.set(kind, (rule = { name: kind.name, fields, leadsToTensors: leadsToTensors(kind, new Set()) }));
  }
  return rule;
}

function leadsToTensors(kind: DescMessage, seen: Set<DescMessage>): boolean {
  if (kind === TensorProtoSchema) return true;
  if (seen.has(kind)) return false;
  seen.add(kind);
  return kind.fields.some(({ message }) => message !== undefined && leadsToTensors(message, seen));
}

function fieldRule({ message, scalar, fieldKind }: DescField): FieldRule {
  if (message !== undefined) return { wire: wires.delimited, packed: null, message };
  const list = fieldKind === "list";
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return { wire: wires.delimited, packed: null, message: null };
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return { wire: wires.bit32, packed: list ? 4 : null, message: null };
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return { wire: wires.bit64, packed: list ? 8 : null, message: null };
    default:
      return { wire: wires.varint, packed: list ? 0 : null, message: null };
  }
}
