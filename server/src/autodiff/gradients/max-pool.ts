/**
 * MaxPool: each cotangent goes back to the element that was the largest of its window, the first of them on ties. The
 * node's output Indices says which; in ONNX Runtime they count through the whole tensor.
 */
import { elementCount } from "../../graph/tensor.js";
import { type GradientRule, NoGradient } from "../rule.js";

export const maxPool: GradientRule = {
  op: "MaxPool",
  pullback: (site) => {
    if (site.int("storage_order", 0) !== 0) throw new NoGradient("its indices count by columns (storage_order 1)");
    return [
      () => {
        const { b } = site;
        const shape = site.inputShape(0);
        const places = [elementCount(site.outputShape())];
        const scattered = b.op(
          "ScatterElements",
          [b.zeros([elementCount(shape)]), b.reshape(site.output(1), places), b.reshape(site.dy, places)],
          { axis: 0, reduction: "add" },
        );
        return b.reshape(scattered, shape);
      },
    ];
  },
};
