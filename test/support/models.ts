/**
 * Models for tests, from one place: the builder's words, small networks of every kind, weights in unusual places,
 * graphs inside graphs, hostile names, and a generator of large models. `writeModel` puts one on disk.
 */
export * from "./model-builder.js";
export * from "./model-elements.js";
export * from "./model-hostile.js";
export * from "./model-large.js";
export * from "./model-nested.js";
export * from "./model-networks.js";
export * from "./model-placements.js";
export * from "./model-tensors.js";
