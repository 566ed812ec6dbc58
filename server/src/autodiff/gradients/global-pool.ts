/** GlobalAveragePool and GlobalMaxPool; the maximum's cotangent goes to the first of equal elements. */
import { elementCount } from "../../graph/tensor.js";
import type { GradientRule } from "../rule.js";

export const globalAveragePool: GradientRule = {
  op: "GlobalAveragePool",
  pullback: (site) => [
    () => {
      const shape = site.inputShape(0);
      return site.b.expand(site.b.scale(site.dy, 1 / elementCount(shape.slice(2))), shape);
    },
  ],
};

export const globalMaxPool: GradientRule = {
  op: "GlobalMaxPool",
  pullback: (site) => [
    () => {
      const { b } = site;
      const shape = site.inputShape(0);
      const [samples, channels, ...places] = shape as [number, number, ...number[]];
      const rows = [samples, channels, elementCount(places)];
      const largest = b.op("ArgMax", [b.reshape(site.input(0), rows)], { axis: 2, keepdims: 1 });
      const dy = b.reshape(site.dy, [samples, channels, 1]);
      return b.reshape(b.op("ScatterElements", [b.zeros(rows), largest, dy], { axis: 2 }), shape);
    },
  ],
};
