/** Layers that apply a function to each element. */
import { activate } from "../../lowering/activations.js";
import { type LayerRule, only } from "../rule.js";

export const activation: LayerRule = {
  classes: ["Activation"],
  lower: (call) => [activate(call.lowering, call.config["activation"], only(call))],
};
