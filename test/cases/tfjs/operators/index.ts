/** Every case of every operator of graph models. */
import type { TfjsCase } from "../case.js";
import { arithmetic } from "./arithmetic.js";
import { arrangements } from "./arrangements.js";
import { control } from "./control.js";
import { convolutions } from "./convolutions.js";
import { images } from "./images.js";
import { passing } from "./passing.js";
import { picking } from "./picking.js";
import { products } from "./products.js";
import { reductions } from "./reductions.js";
import { windows } from "./windows.js";

export const operatorCases: readonly TfjsCase[] = [
  ...arithmetic,
  ...arrangements,
  ...control,
  ...convolutions,
  ...images,
  ...passing,
  ...picking,
  ...products,
  ...reductions,
  ...windows,
];
