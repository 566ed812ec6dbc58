/**
 * TensorFlow.js models for tests, from one place: layers models built with tfjs, graph models in short words, folders of
 * model.json and shards, runs of the original, and parity with our lowering.
 */
export * from "./autodiff.js";
export * from "./backends.js";
export * from "./folder.js";
export * from "./graph-model.js";
export * from "./layers-model.js";
export * from "./parity.js";
export * from "./read-folder.js";
export * from "./real-models.js";
export * from "./reference.js";
export * from "./two-products.js";
export * from "./twin.js";
export * from "./weights.js";
