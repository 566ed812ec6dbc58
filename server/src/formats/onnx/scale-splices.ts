/**
 * Mul nodes in front of inputs, as changes of an ONNX file's bytes: two records before the consumer's own (a Constant
 * and the Mul), another name in the consumer's input, and the lengths of the consumer and of the graph. A Mul broadcasts
 * its scalar since opset 7, the oldest that is read, so that versions stay as they are.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
} from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";
import { numberToBfloat16, numberToFloat16 } from "../../graph/float16.js";
import { type Model, nodeLabel, operatorLabel } from "../../graph/graph.js";
import { valueNames } from "../../graph/rebuild.js";
import { dtypeCode } from "../../graph/tensor.js";
import { allNodes } from "../../graph/traversal.js";
import type { InputScale } from "../format.js";
import type { Source } from "../source.js";
import type { Splice } from "../write-changed.js";
import { recordOf } from "./node-records.js";
import { WireWindow } from "./wire-window.js";

/** Field numbers of onnx.proto: ModelProto's graph, GraphProto's nodes, NodeProto's inputs. */
const graphField = 7;
const nodeField = 1;
const inputField = 1;

/**
 * The changes that multiply inputs by constants, in the order of their places in the main file of `source`, none
 * overlapping another.
 * @throws PruneScopeError `unsupported-op` for a node that has no record of its own in the main graph, an absent input,
 * and element types without a Mul; `bad-request` for an input that is scaled twice.
 */
export function scaleSplices(source: Source, model: Model, scales: readonly InputScale[]): Splice[] {
  if (scales.length === 0) return [];
  const wanted = new Map<number, InputScale[]>();
  for (const scale of scales) {
    const index = checkedRecord(source, model, scale);
    const list = wanted.get(index) ?? [];
    if (list.some(({ input }) => input === scale.input))
      throw new PruneScopeError(
        "bad-request",
        `Input ${scale.input} of node "${nodeLabel(scale.node)}" is scaled twice.`,
        { file: source.main, node: nodeLabel(scale.node) },
      );
    wanted.set(index, [...list, scale]);
  }
  const names = new FreshNames(model);
  const window = new WireWindow(source);
  for (const graph of window.fields(0, source.size(source.main))) {
    if (graph.field !== graphField) continue;
    const splices: Splice[] = [];
    let index = 0;
    for (const node of window.fields(graph.bodyStart, graph.end)) {
      if (node.field !== nodeField) continue;
      const here = wanted.get(index++);
      if (here === undefined) continue;
      const made = here.map((scale) => ({ ...scale, ...names.of(scale.node.inputs[scale.input]!) }));
      splices.push({ offset: node.start, length: 0, bytes: records(made) });
      const renamed: Splice[] = [];
      let input = 0;
      for (const one of window.fields(node.bodyStart, node.end)) {
        if (one.field !== inputField) continue;
        const scaled = made.find((scale) => scale.input === input);
        input++;
        if (scaled === undefined) continue;
        const bytes = new BinaryWriter().tag(inputField, WireType.LengthDelimited).string(scaled.output).finish();
        renamed.push({ offset: one.start, length: one.end - one.start, bytes });
      }
      splices.push(lengthSplice(nodeField, node, renamed), ...renamed);
    }
    return [lengthSplice(graphField, graph, splices), ...splices];
  }
  return [];
}

/** Tag and length of a delimited field, once the changes inside it are made. */
function lengthSplice(
  field: number,
  { start, bodyStart, end }: { readonly start: number; readonly bodyStart: number; readonly end: number },
  inside: readonly Splice[],
): Splice {
  const length = inside.reduce((sum, splice) => sum + splice.bytes.byteLength - splice.length, end - bodyStart);
  const bytes = new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
  return { offset: start, length: bodyStart - start, bytes };
}

function checkedRecord(source: Source, model: Model, { node, input, dtype }: InputScale): number {
  const refuse = (why: string): never => {
    throw new PruneScopeError("unsupported-op", `No Mul can be put before node "${nodeLabel(node)}": ${why}.`, {
      file: source.main,
      node: nodeLabel(node),
      operator: operatorLabel(node),
    });
  };
  const index = recordOf(node);
  if (index === null || !model.graph.nodes.includes(node))
    return refuse("it lies in a branch, a loop or a local function, not in the main graph of the file");
  if ((node.inputs[input] ?? "") === "") return refuse(`it has no input ${input}`);
  const oldest = Object.hasOwn(oldestMul, dtype) ? oldestMul[dtype as keyof typeof oldestMul] : Infinity;
  if ((model.opsets.get("") ?? 0) < oldest)
    return refuse(`ONNX has no Mul of ${dtype} at opset ${model.opsets.get("") ?? 0}`);
  return index;
}

/** Opset from which on Mul takes a type. */
const oldestMul = { float: 7, double: 7, float16: 7, bfloat16: 13 } as const;

interface Names {
  /** Of the Mul's output, and of the Mul itself. */
  readonly output: string;
  /** Of the Constant's. */
  readonly factorName: string;
}

/** The two records of each scale. */
function records(scales: readonly (InputScale & Names)[]): Uint8Array {
  const writer = new BinaryWriter();
  const add = (node: NodeProto): void => {
    writer.tag(nodeField, WireType.LengthDelimited).bytes(toBinary(NodeProtoSchema, node));
  };
  for (const { node, input, output, factorName, factor, dtype } of scales) {
    const t = create(TensorProtoSchema, { dataType: dtypeCode(dtype), rawData: scalarBytes(factor, dtype) });
    const value = create(AttributeProtoSchema, { name: "value", type: AttributeType.TENSOR, t });
    add(create(NodeProtoSchema, { opType: "Constant", name: factorName, output: [factorName], attribute: [value] }));
    add(
      create(NodeProtoSchema, {
        opType: "Mul",
        name: output,
        input: [node.inputs[input]!, factorName],
        output: [output],
      }),
    );
  }
  return writer.finish();
}

/** One little-endian element. */
function scalarBytes(value: number, dtype: InputScale["dtype"]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(dtype === "double" ? 8 : dtype === "float" ? 4 : 2));
  if (dtype === "double") view.setFloat64(0, value, true);
  else if (dtype === "float") view.setFloat32(0, value, true);
  else view.setUint16(0, dtype === "float16" ? numberToFloat16(value) : numberToBfloat16(value), true);
  return new Uint8Array(view.buffer);
}

/** Names after the value that is scaled, with a number behind them where they are taken by a value or a node. */
class FreshNames {
  readonly #taken: Set<string>;

  constructor({ graph }: Model) {
    this.#taken = valueNames(graph);
    for (const { node } of allNodes(graph)) this.#taken.add(node.name);
  }

  of(value: string): Names {
    return { output: this.#fresh(`${value}_scaled`), factorName: this.#fresh(`${value}_factor`) };
  }

  #fresh(stem: string): string {
    let name = stem;
    for (let n = 2; this.#taken.has(name); n++) name = `${stem}_${n}`;
    this.#taken.add(name);
    return name;
  }
}
