/** Tile: the repeats of each axis are summed. */
import type { GradientRule } from "../rule.js";

export const tile: GradientRule = {
  op: "Tile",
  pullback: (site) => [
    () => {
      const { b } = site;
      const shape = site.inputShape(0);
      const repeats = site.outputShape().map((dim, axis) => dim / Math.max(1, shape[axis] ?? 1));
      const split = shape.flatMap((dim, axis) => (repeats[axis] === 1 ? [dim] : [repeats[axis] ?? 1, dim]));
      const axes: number[] = [];
      let at = 0;
      for (const times of repeats) {
        if (times !== 1) axes.push(at++);
        at++;
      }
      return axes.length === 0 ? site.dy : b.reduceSum(b.reshape(site.dy, split), axes);
    },
  ],
};
