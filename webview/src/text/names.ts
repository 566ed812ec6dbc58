/**
 * Names, shapes and places out of a model, as text that fits on a line. They come from strangers and may be of any
 * length.
 */
import type { ErrorData } from "../../../server/protocol/errors.js";
import type { Dim, LayerView, ValueView } from "../../../server/protocol/model.js";
import { integer } from "./numbers.js";

/** What a layer is called in the view: its weight as it stands in the file. */
export function layerLabel(layer: Pick<LayerView, "id" | "name" | "weight">): string {
  return layer.weight || layer.name || layer.id;
}

/** Shortens in the middle, where long names differ least: `backbone.st…conv1.weight`. */
export function shorten(text: string, most = 56): string {
  const characters = Array.from(text);
  if (characters.length <= most) return text;
  const tail = Math.floor((most - 1) * 0.6);
  return `${characters.slice(0, most - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}

/** `64 × 3 × 7 × 7`; a scalar is `scalar`. */
export function shapeText(shape: readonly Dim[]): string {
  if (shape.length === 0) return "scalar";
  return shape.map((dim) => (dim === null ? "?" : String(dim))).join(" × ");
}

/** `float 1 × 3 × 224 × 224`, or the notation of a type that is no tensor. */
export function valueType(value: ValueView): string {
  if (value.type !== undefined) return value.type;
  return value.shape === null ? `${value.dtype}, shape unknown` : `${value.dtype} ${shapeText(value.shape)}`;
}

/** `ai.onnx 17 · com.microsoft 1`. */
export function opsetText(opsets: readonly { readonly domain: string; readonly version: number }[]): string {
  return opsets.map(({ domain, version }) => `${domain === "" ? "ai.onnx" : domain} ${version}`).join(" · ");
}

/** Where an error happened, as label and text, in the order in which one would look for it. */
export function errorPlaces(error: ErrorData): readonly { readonly label: string; readonly text: string }[] {
  const { file, node, operator, opset, value, offset } = error.about;
  const places: { label: string; text: string }[] = [];
  const add = (label: string, text: string | undefined): void => {
    if (text !== undefined && text !== "") places.push({ label, text });
  };
  add("File", file);
  add("Node", node);
  add("Operator", operator === undefined ? undefined : opset === undefined ? operator : `${operator} (opset ${opset})`);
  add("Tensor", value);
  add("Byte", offset === undefined ? undefined : integer(offset));
  return places;
}
