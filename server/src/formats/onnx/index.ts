/** The ONNX format: one protobuf file, with external data beside it. */
import type { Format } from "../format.js";
import { readOnnx } from "./read.js";
import { writeOnnx } from "./write.js";

export const onnx = {
  id: "onnx",
  extensions: [".onnx"],
  recognises: () => true,
  runs: true,
  takesNodes: true,
  read: readOnnx,
  metadata: (source) => readOnnx(source).metadata,
  write: writeOnnx,
} as const satisfies Format;
