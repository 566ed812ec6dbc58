/** Cases of Dense and of what has no weights. */
import { layers } from "@tensorflow/tfjs-layers";
import { floats } from "../../../support/tfjs/index.js";
import { layerCase, type TfjsCase } from "../case.js";

export const core: readonly TfjsCase[] = [
  layerCase("Dense", "with an activation", floats([3, 5]), () => layers.dense({ units: 4, activation: "relu" })),
];
