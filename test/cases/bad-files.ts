/** Files that are no ONNX model, or whose bytes are damaged: what is in them, and the words that people must read. */
import { toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { GraphProtoSchema } from "onnx-buf";
import { uniform } from "../support/arrays.js";
import * as models from "../support/models.js";

export interface BadFile {
  readonly name: string;
  readonly make: () => Uint8Array;
  readonly words: RegExp;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const bytes = (...list: readonly number[]): Uint8Array => Uint8Array.from(list);

/** A sound graph, to which something is added. */
const soundGraph = (): Uint8Array => toBinary(GraphProtoSchema, models.mlp().proto.graph!);

/** A model with IR version 8 and a graph of these bytes. */
const withGraph = (graph: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(1, WireType.Varint).int64(8).tag(7, WireType.LengthDelimited).bytes(graph).finish();

/** A sound model with more bytes behind its graph's own. */
const graphAnd = (...list: readonly number[]): Uint8Array =>
  withGraph(
    new BinaryWriter()
      .raw(soundGraph())
      .raw(bytes(...list))
      .finish(),
  );

/** A sound model and more bytes behind it. */
const modelAnd = (...list: readonly number[]): Uint8Array =>
  new BinaryWriter()
    .raw(withGraph(soundGraph()))
    .raw(bytes(...list))
    .finish();

/** Length-delimited fields inside each other, the first one outermost, around `core`. */
function nested(fields: readonly number[], core: Uint8Array): Uint8Array {
  return fields.reduceRight(
    (inner, field) => new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(inner).finish(),
    core,
  );
}

/** graph, then `depth` times node, attribute, graph. */
const graphsInGraphs = (depth: number): Uint8Array =>
  nested([7, ...Array.from({ length: depth }, () => [1, 5, 6]).flat()], bytes());

/** Types of sequences of sequences: ValueInfo, type, sequence_type, elem_type … of the model's first output. */
const typesInTypes = (depth: number): Uint8Array =>
  nested([7, 12, 2, ...Array.from({ length: depth }, () => [4, 1]).flat()], bytes());

export const badFiles: readonly BadFile[] = [
  { name: "an empty file", make: () => bytes(), words: /is empty/ },
  { name: "a text", make: () => text("this is not a model\n"), words: /is a text file, not an ONNX model/ },
  {
    name: "a Git LFS pointer",
    make: () => text(`version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 4745517\n`),
    words: /Git LFS pointer.*git lfs pull/,
  },
  {
    name: "a web page",
    make: () => text("<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>\n"),
    words: /is a text file/,
  },
  {
    name: "a web page in another script than Latin",
    make: () => text("<!DOCTYPE html><html><title>見つかりません</title></html>"),
    words: /at byte 0, wire type 4 is not used by ONNX/,
  },
  { name: "JSON", make: () => text('{"format": "layers-model"}'), words: /is a text file/ },
  {
    name: "a zip archive, as PyTorch saves",
    make: () => bytes(0x50, 0x4b, 3, 4, ...Array<number>(60).fill(0)),
    words: /byte/,
  },
  { name: "a pickle", make: () => bytes(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20), words: /byte/ },
  { name: "HDF5", make: () => bytes(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0), words: /holds no graph/ },
  { name: "a TensorFlow Lite file", make: () => bytes(0x1c, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33), words: /byte/ },
  { name: "zeros", make: () => new Uint8Array(5000), words: /at byte 0, a field has number 0/ },
  {
    name: "noise",
    make: () => {
      const random = uniform(7);
      return Uint8Array.from({ length: 5000 }, () => random() * 256);
    },
    words: /byte/,
  },
  { name: "no graph", make: () => bytes(0x08, 8, 0x12, 1, 0x78), words: /holds no graph/ },
  { name: "an empty graph", make: () => withGraph(bytes()), words: /holds no graph/ },
  { name: "two graphs", make: () => modelAnd(0x3a, 0), words: /at byte \d+, the model has two graphs/ },
  {
    name: "a graph that is a number",
    make: () => bytes(8, 8, 0x38, 1),
    words: /at byte 2, field 7 of a ModelProto has wire type 0/,
  },
  {
    name: "a graph that is a float",
    make: () => bytes(0x3d, 0, 0, 0, 0),
    words: /at byte 0, field 7 .* wire type 5, not 2/,
  },
  {
    name: "an IR version that is a text",
    make: () => bytes(0x0a, 1, 0x38),
    words: /at byte 0, field 1 of a ModelProto has wire type 2/,
  },
  {
    name: "a producer that is a number",
    make: () => modelAnd(0x10, 5),
    words: /field 2 of a ModelProto has wire type 0, not 2/,
  },
  {
    name: "a node that is a number",
    make: () => graphAnd(0x08, 1),
    words: /field 1 of a GraphProto has wire type 0, not 2/,
  },
  {
    name: "an initializer that is a double",
    make: () => graphAnd(0x29, 0, 0, 0, 0, 0, 0, 0, 0),
    words: /field 5 of a GraphProto has wire type 1/,
  },
  {
    name: "a tensor's name that is a number",
    make: () => graphAnd(0x2a, 2, 0x40, 9),
    words: /field 8 of a TensorProto has wire type 0, not 2/,
  },
  {
    name: "raw data that is a number",
    make: () => graphAnd(0x2a, 2, 0x48, 9),
    words: /field 9 of a TensorProto has wire type 0, not 2/,
  },
  {
    name: "an axis length that is a text, deep in an input's type",
    // input: type: tensor_type: shape: dim: dim_value
    make: () => graphAnd(0x5a, 10, 0x12, 8, 0x0a, 6, 0x12, 4, 0x0a, 2, 0x0a, 0),
    words: /field 1 of a Dimension has wire type 2, not 0/,
  },
  { name: "a group", make: () => modelAnd(0x3b, 0x3c), words: /wire type 3 is not used by ONNX/ },
  {
    name: "the end of a group that never began",
    make: () => modelAnd(0xa4, 6),
    words: /wire type 4 is not used by ONNX/,
  },
  {
    name: "a group inside a tensor",
    make: () => graphAnd(0x2a, 2, 0x0b, 0x0c),
    words: /wire type 3 is not used by ONNX/,
  },
  { name: "wire type 6", make: () => modelAnd(0x3e), words: /wire type 6 is not used by ONNX/ },
  { name: "wire type 7", make: () => modelAnd(0x3f), words: /wire type 7 is not used by ONNX/ },
  { name: "field number 0", make: () => modelAnd(0x02, 0), words: /a field has number 0/ },
  {
    name: "a field number that is too large",
    make: () => modelAnd(0x82, 0x80, 0x80, 0x80, 0x10, 0),
    words: /a field has number 536870912/,
  },
  { name: "a tag without a value", make: () => bytes(0x08), words: /at byte 1, a number is cut off/ },
  { name: "a tag without a length", make: () => modelAnd(0x12), words: /a number is cut off/ },
  { name: "half a tag", make: () => modelAnd(0x92), words: /a number is cut off/ },
  {
    name: "a number of eleven bytes",
    make: () => bytes(0x08, ...Array<number>(10).fill(0x80), 1),
    words: /at byte 1, a number has more than 10 bytes/,
  },
  {
    name: "a length of 2^32 and a little, which would be little in 32 bits",
    make: () => modelAnd(0x12, 0x81, 0x80, 0x80, 0x80, 0x10, 0x78),
    words: /field 2 runs 4294967296 bytes past the end/,
  },
  {
    name: "a length of 2^63",
    make: () => modelAnd(0x12, ...Array<number>(9).fill(0x80), 1),
    words: /runs \d+ bytes past the end/,
  },
  {
    name: "a field that reaches past the file",
    make: () => modelAnd(0x12, 100, 0),
    words: /field 2 runs 99 bytes past the end/,
  },
  {
    name: "a field that reaches past its message",
    make: () => graphAnd(0x2a, 2, 0x42, 9),
    words: /field 8 runs 9 bytes past the end/,
  },
  {
    name: "half a float",
    make: () => graphAnd(0x2a, 4, 0x22, 2, 0, 0),
    words: /the last element of field 4 is cut off/,
  },
  {
    name: "half a dimension",
    make: () => graphAnd(0x2a, 4, 0x0a, 2, 1, 0x80),
    words: /the last element of field 1 is cut off/,
  },
  {
    name: "a number of eleven bytes among packed ones",
    make: () => graphAnd(0x2a, 13, 0x0a, 11, ...Array<number>(10).fill(0x80), 0),
    words: /is not a valid ONNX file/,
  },
  { name: "graphs in graphs, 200 deep", make: () => graphsInGraphs(200), words: /nested more than 100 deep/ },
  { name: "types in types, 200 deep", make: () => typesInTypes(200), words: /nested more than 100 deep/ },
];

/** The byte lengths at which a prefix of `whole` is a model by itself: where a field of the model ends behind its graph. */
export function soundPrefixes(whole: Uint8Array): Set<number> {
  const ends = new Set<number>();
  let graphSeen = false;
  for (let at = 0; at < whole.length;) {
    const varint = (): number => {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        const byte = whole[at++]!;
        value += (byte & 0x7f) * shift;
        if (byte < 0x80) return value;
      }
    };
    const tag = varint();
    // The builder writes numbers and length-delimited fields only.
    const value = varint();
    if (tag % 8 === 2) at += value;
    graphSeen ||= Math.floor(tag / 8) === 7;
    if (graphSeen) ends.add(at);
  }
  return ends;
}
