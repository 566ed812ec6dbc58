/** Every case of every layer class. */
import type { TfjsCase } from "../case.js";
import { activations } from "./activations.js";
import { convolutions } from "./convolutions.js";
import { core } from "./core.js";
import { images } from "./images.js";
import { merges } from "./merges.js";
import { models } from "./models.js";
import { recurrence } from "./recurrence.js";

export const layerCases: readonly TfjsCase[] = [
  ...activations,
  ...convolutions,
  ...core,
  ...images,
  ...merges,
  ...models,
  ...recurrence,
];
