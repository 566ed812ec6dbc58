/** Lengths of the real models' dynamic axes that keep tests quick. */
import type { DynamicAxes } from "../../server/protocol/requests.js";

export const realModelAxes: DynamicAxes = { "p2o.DynamicDimension.1": 64, "p2o.DynamicDimension.2": 64 };
