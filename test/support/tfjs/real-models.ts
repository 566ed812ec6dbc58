/** Real TensorFlow.js models out of npm packages, as folders. */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { ModelJson } from "./folder.js";

const packages = resolve("node_modules");

/** Upscalers of @upscalerjs: Functional, float32, of any height and width. Paths of their model.json. */
export const upscalers = {
  "default-model": join(packages, "@upscalerjs/default-model/models/model.json"),
  "esrgan-slim": join(packages, "@upscalerjs/esrgan-slim/models/x3/model.json"),
} as const;

/**
 * Writes a MobileNetV2 of nsfwjs (quantised to uint8, 224x224; `mobilenet_v2` is a layers model, `mobilenet_v2_mid` a graph
 * model) into `folder`, out of the modules that hold its model.json and its shards in base64. @returns the path of its
 * model.json.
 */
export function writeNsfwMobileNet(
  folder: string,
  model: "mobilenet_v2" | "mobilenet_v2_mid" = "mobilenet_v2",
): string {
  const require = createRequire(import.meta.url);
  // The package exports no path to the modules, and its own loader wants all of tfjs.
  const modules = join(packages, "nsfwjs/dist/models", model);
  const json = require(join(modules, "model.min.js")) as ModelJson;
  for (const shard of json.weightsManifest.flatMap(({ paths }) => paths)) {
    const content = require(join(modules, `${shard}.min.js`)) as string;
    writeFileSync(join(folder, shard), Buffer.from(content, "base64"));
  }
  const path = join(folder, "model.json");
  writeFileSync(path, JSON.stringify(json));
  return path;
}
