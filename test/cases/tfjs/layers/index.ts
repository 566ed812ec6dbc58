/** Every case of every layer class. */
import type { TfjsCase } from "../case.js";
import { core } from "./core.js";

export const layerCases: readonly TfjsCase[] = [...core];
