/**
 * A network named as `torch.onnx.export` names one: weights by their state_dict names; nodes by their modules' paths; and
 * what was folded into the BatchNorm before it or transposed by number.
 */
import { model, node, type TestModel } from "./model-builder.js";
import { weight } from "./model-networks.js";
import { value } from "./model-tensors.js";

/** Shapes of the weights as PyTorch's state_dict has them, by their names there. */
export const torchShapes: Readonly<Record<string, readonly number[]>> = {
  "conv.weight": [8, 3, 3, 3],
  "layer1.0.conv1.weight": [8, 8, 3, 3],
  "layer1.0.down.0.weight": [8, 8, 1, 1],
  "att.0.qkv.weight": [8, 8],
  "att.0.proj.weight": [16, 8],
  "fc.weight": [10, 16],
};

/** Names that the file gives the same weights; those of folded and transposed ones are numbers. */
export const exportedNames: Readonly<Record<string, string>> = {
  "conv.weight": "conv.weight",
  "layer1.0.conv1.weight": "onnx::Conv_83",
  "layer1.0.down.0.weight": "layer1.0.down.0.weight",
  "att.0.qkv.weight": "onnx::MatMul_91",
  "att.0.proj.weight": "onnx::MatMul_92",
  "fc.weight": "fc.weight",
};

/** The network. Input `x` [1, 3, 4, 4]. */
export function torchNetwork(): TestModel {
  const named = (name: string): { readonly name: string } => ({ name });
  return model({
    producer: "pytorch",
    graph: {
      nodes: [
        node("Conv", ["x", "conv.weight"], ["/conv/Conv_output_0"], { pads: [1, 1, 1, 1] }, named("/conv/Conv")),
        node("Relu", ["/conv/Conv_output_0"], ["/Relu_output_0"], {}, named("/Relu")),
        node(
          "Conv",
          ["/Relu_output_0", "onnx::Conv_83"],
          ["/layer1/layer1.0/conv1/Conv_output_0"],
          { pads: [1, 1, 1, 1] },
          named("/layer1/layer1.0/conv1/Conv"),
        ),
        node(
          "Conv",
          ["/Relu_output_0", "layer1.0.down.0.weight"],
          ["/layer1/layer1.0/down/down.0/Conv_output_0"],
          {},
          named("/layer1/layer1.0/down/down.0/Conv"),
        ),
        node(
          "Add",
          ["/layer1/layer1.0/conv1/Conv_output_0", "/layer1/layer1.0/down/down.0/Conv_output_0"],
          ["sum"],
          {},
          named("/layer1/layer1.0/Add"),
        ),
        node("GlobalAveragePool", ["sum"], ["pooled"], {}, named("/GlobalAveragePool")),
        node("Flatten", ["pooled"], ["flat"], {}, named("/Flatten")),
        node("MatMul", ["flat", "onnx::MatMul_91"], ["q"], {}, named("/att.0/qkv/MatMul")),
        node("Tanh", ["q"], ["t"], {}, named("/att.0/Tanh")),
        node("MatMul", ["t", "onnx::MatMul_92"], ["p"], {}, named("/att.0/proj/MatMul")),
        node("Gemm", ["p", "fc.weight"], ["y"], { transB: 1 }, named("/fc/Gemm")),
      ],
      inputs: [value("x", "float", [1, 3, 4, 4])],
      outputs: [value("y", "float", [1, 10])],
      initializers: Object.entries(exportedNames).map(([name, exported], i) => {
        const shape = torchShapes[name]!;
        return weight(exported, exported.startsWith("onnx::MatMul") ? [...shape].reverse() : shape, i + 1);
      }),
    },
  });
}
