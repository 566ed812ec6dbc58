/** DepthToSpace and SpaceToDepth: elements change places, so the cotangents change back. */
import type { GradientRule } from "../rule.js";

export const depthToSpace: GradientRule = {
  op: "DepthToSpace",
  pullback: (site) => [
    () => {
      const { b } = site;
      const blocksize = site.int("blocksize", 1);
      if (site.string("mode", "DCR") === "DCR") return b.op("SpaceToDepth", [site.dy], { blocksize });
      const shape = site.inputShape(0);
      const [samples, channels, height, width] = shape as [number, number, number, number];
      const outer = channels / (blocksize * blocksize);
      const split = b.reshape(site.dy, [samples, outer, height, blocksize, width, blocksize]);
      return b.reshape(b.transpose(split, [0, 1, 3, 5, 2, 4]), shape);
    },
  ],
};

export const spaceToDepth: GradientRule = {
  op: "SpaceToDepth",
  pullback: (site) => [
    () => site.b.op("DepthToSpace", [site.dy], { blocksize: site.int("blocksize", 1), mode: "DCR" }),
  ],
};
