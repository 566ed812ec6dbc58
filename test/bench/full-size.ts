/** Networks of full size for the benchmark, with the batches that DESIGN's figures were taken at. */
import { mobileNetV2, type Network, resnet, vit } from "../support/networks/index.js";

const image = { batch: 8, size: 224, classes: 1000 } as const;

export const fullSize = {
  "ResNet-18": () => resnet({ depth: 18, ...image }),
  "ResNet-50": () => resnet({ depth: 50, ...image }),
  MobileNetV2: () => mobileNetV2({ width: 1, ...image }),
  "ViT-S/16": () => vit({ size: 224, patch: 16, dim: 384, heads: 6, batch: 4, classes: 1000 }),
} as const satisfies Readonly<Record<string, () => Network>>;

export type FullSize = keyof typeof fullSize;
