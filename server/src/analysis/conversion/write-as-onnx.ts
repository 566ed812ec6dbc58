/**
 * Saves a model of another format as an ONNX file: the lowered graph with its weights decoded to float32, in the order of
 * axes that ONNX' operators want. Weights are written one after the other, so that one of them is in memory at a time.
 */
import { dirname, resolve } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { GraphProtoSchema, ModelProtoSchema, StringStringEntryProtoSchema, TensorProtoSchema } from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";
import { AtomicFile } from "../../formats/atomic-file.js";
import { blockElements } from "../../formats/block-buffer.js";
import { finishInterrupted } from "../../formats/commit-together.js";
import { constantBytes } from "../../formats/constant-bytes.js";
import type { TensorEdit, WriteOptions } from "../../formats/format.js";
import { underFreeKeys } from "../../formats/free-keys.js";
import { refuseOriginals } from "../../formats/places.js";
import type { Source } from "../../formats/source.js";
import type { Constant, Graph, Model } from "../../graph/graph.js";
import { type Move, type MovedGraph, withMovedConstants } from "../../graph/moved-constants.js";
import { elementsMoved } from "../../graph/moved-elements.js";
import { findPrunable } from "../../graph/prunable.js";
import { withScaledInputs } from "../../graph/scaled-inputs.js";
import { byteLength, dtypeCode, elementCount, storageKey } from "../../graph/tensor.js";
import { encodeParts } from "../../runtime/encode.js";
import { version } from "../../version.js";
import { unlowered } from "../unlowered.js";

/** Longest message that protobuf, and with it ONNX Runtime, takes. */
const maxBytes = 2 ** 31 - 1;

/** Field numbers of onnx.proto: ModelProto's graph, GraphProto's initializers, TensorProto's raw data. */
const graphField = 7;
const initializerField = 5;
const rawDataField = 9;

/**
 * Writes `model`, whose weights lie in `source`; see {@link WriteOptions}. Bytes that edits are given are float32.
 * @throws PruneScopeError `unsupported-op` naming what has no ONNX operators, `bad-request` for more than one file of
 * ONNX can hold, `unsafe-path`, `write-failed`; nothing has changed then.
 */
export async function writeAsOnnx(source: Source, model: Model, options: WriteOptions): Promise<void> {
  const target = resolve(options.target);
  finishInterrupted(dirname(target));
  refuseOriginals(target, [...(options.originals ?? []), ...source.paths]);
  const left = unlowered(model.graph);
  if (left !== null) {
    throw new PruneScopeError(
      "unsupported-op",
      `${source.main} cannot be saved as ONNX: there are no ONNX operators for ${left}. Save it in its own format.`,
      { file: source.main },
    );
  }
  const { graph, moves } = naturalGraph(model, options);
  const parts = encodeParts(
    { ...model, graph },
    { extraOutputs: [], inputShapes: new Map(), leaveOut: ({ tensor }) => tensor.path !== "" },
  );
  const initializers = [...parts.lifted].map(([name, constant]) => ({ constant, ...header(name, constant) }));
  const head = toBinary(ModelProtoSchema, {
    ...parts.model,
    producerName: "prunescope",
    producerVersion: version,
    docString: model.producer,
    metadataProps: [...model.metadata, ...underFreeKeys(model.metadata, options.provenance)].map((record) =>
      create(StringStringEntryProtoSchema, record),
    ),
  });
  const structure = toBinary(GraphProtoSchema, parts.graph);
  const graphBytes = initializers.reduce((sum, { head: own, data }) => sum + own.length + data, structure.length);
  const total = head.length + graphBytes;
  if (total > maxBytes) {
    throw new PruneScopeError(
      "bad-request",
      `As ONNX the model would have ${(total / 1e9).toFixed(1)} GB, and one file of ONNX holds 2 GB at most. Save it in its own format.`,
      { file: source.main },
    );
  }
  const edits = new Map(options.edits.map((edit) => [storageKey(edit.tensor), edit]));
  const file = new AtomicFile(target);
  try {
    file.append(head);
    file.append(new BinaryWriter().tag(graphField, WireType.LengthDelimited).uint32(graphBytes).finish());
    file.append(structure);
    for (const { constant, head: own, data } of initializers) {
      const move = moves.get(constant);
      const from = move?.from ?? constant;
      const stored = await elementsOf(source, from, edits.get(storageKey(from.tensor)), () =>
        options.progress(file.size, total),
      );
      const bytes = move === undefined ? stored : movedBytes(move, stored);
      if (bytes.length !== data) throw new Error(`"${constant.name}" has ${bytes.length} bytes instead of ${data}`);
      file.append(own);
      file.append(bytes);
      await options.progress(file.size, total);
    }
    await file.finish();
    options.beforeCommit();
    await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/**
 * The graph with its weights as ONNX has them, as long as it is the same layers then: a weight that is known by another
 * name, or has another size, would be another layer when the file is opened.
 */
function naturalGraph(model: Model, { scales }: WriteOptions): MovedGraph {
  const graph = scales.length === 0 ? model.graph : withScaledInputs(model.graph, scales);
  const layers = (of: Graph): string =>
    JSON.stringify(findPrunable({ ...model, graph: of }).weights.map(({ id, size }) => [id, size]));
  const moved = withMovedConstants(graph);
  return layers(moved.graph) === layers(graph) ? moved : { graph, moves: new Map() };
}

/** What stands before the elements of an initializer, and the number of their bytes. */
function header(name: string, { tensor }: Constant): { readonly head: Uint8Array; readonly data: number } {
  const proto = create(TensorProtoSchema, { name, dims: tensor.shape.map(BigInt), dataType: dtypeCode(tensor.dtype) });
  const data = byteLength(tensor.dtype, elementCount(tensor.shape))!;
  const fields = toBinary(TensorProtoSchema, proto);
  const rawData = new BinaryWriter().tag(rawDataField, WireType.LengthDelimited).uint32(data).finish();
  const head = new BinaryWriter()
    .tag(initializerField, WireType.LengthDelimited)
    .uint32(fields.length + rawData.length + data)
    .raw(fields)
    .raw(rawData)
    .finish();
  return { head, data };
}

/** All elements of a stored constant, decoded, with its edit. */
async function elementsOf(
  source: Source,
  constant: Constant,
  edit: TensorEdit | undefined,
  pause: () => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (edit === undefined) return constantBytes(source, { ...constant, inline: null });
  const { elements } = edit;
  const bytes = new Uint8Array(4 * elements.size);
  for (let start = 0; start < elements.size; start += blockElements) {
    const count = Math.min(blockElements, elements.size - start);
    const { bytes: block } = elements.bytes(start, count);
    edit.edit(block, start, count);
    bytes.set(block, 4 * start);
    await pause();
  }
  return bytes;
}

function movedBytes({ from, elements }: Move, stored: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength: length } = elements(elementsMoved.of(from.tensor.dtype, stored)!);
  return new Uint8Array(buffer, byteOffset, length);
}
