/** Expand: the cotangent is summed back over the axes that were broadcast. */
import type { GradientRule } from "../rule.js";

export const expand: GradientRule = { op: "Expand", broadcasts: true, pullback: ({ dy }) => [() => dy] };
