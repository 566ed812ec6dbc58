/** All tables of broken TensorFlow.js models. */
export * from "./graphs.js";
export * from "./json.js";
export * from "./layers.js";
export * from "./shards.js";
export * from "./sound-parts.js";
export * from "./weights.js";
