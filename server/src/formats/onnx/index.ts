/** The ONNX format: one protobuf file, with external data beside it. */
import type { Format } from "../format.js";
import { readOnnx } from "./read.js";
import { writeOnnx } from "./write.js";

export const onnx: Format = { id: "onnx", extensions: [".onnx"], read: readOnnx, write: writeOnnx };
