/** Every rule that lowers operators of TensorFlow graphs, one line each. */
import type { OpRule } from "../rule.js";
import { elementwise } from "./elementwise.js";
import { matMul } from "./mat-mul.js";

export const opRules: readonly OpRule[] = Object.freeze([elementwise, matMul]);
