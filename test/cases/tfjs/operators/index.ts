/** Every case of every operator of graph models. */
import type { TfjsCase } from "../case.js";
import { convolutions } from "./convolutions.js";

export const operatorCases: readonly TfjsCase[] = [...convolutions];
