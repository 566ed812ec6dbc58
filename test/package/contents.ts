// What goes into a VSIX, as an allow-list: the bundles with the wasm binaries that they read, the media, the documents,
// and the ONNX Runtime of one platform. The runtime lies under dist/node_modules, where dist/engine.js finds it and vsce
// lets it be; of its packages only what `require` loads is taken (no install scripts, typings, maps or ES modules).

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, posix } from "node:path";
import { binariesOf, type Target } from "./targets.js";

/** One file of the extension. */
export interface ContentFile {
  /** Where it goes, relative to the extension, with `/`. */
  readonly path: string;
  /** Where it is now. */
  readonly source: string;
}

/** Documents that a marketplace shows, as far as the repository has them. */
const DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE"];
const MEDIA = ["media/icon.png", "media/view.css"];
const MODULES = "dist/node_modules";

/**
 * The files of the extension for a target, its manifest excepted, in no particular order.
 *
 * Throws when the extension has not been built or onnxruntime-node lacks a binary.
 */
export async function contentsFor(root: string, target: Target): Promise<ContentFile[]> {
  if (!existsSync(join(root, "dist", "extension.js"))) {
    throw new Error(`${join(root, "dist")} holds no built extension: run \`npm run build\` first.`);
  }
  const own = (path: string): ContentFile => ({ path, source: join(root, path) });
  const files = [
    ...[...MEDIA, "package.nls.json", ...DOCUMENTS.filter((name) => existsSync(join(root, name)))].map(own),
    ...(await filesEnding(join(root, "media", "walkthrough"), ".svg", "media/walkthrough")),
    ...(await filesEnding(join(root, "dist"), ".js", "dist")),
    ...(await filesEnding(join(root, "dist"), ".wasm", "dist")),
    own("dist/ThirdPartyNotices.txt"),
    ...(await runtimeOf(root, target)),
  ];
  const missing = files.find(({ source }) => !existsSync(source));
  if (missing) throw new Error(`${missing.source} is missing: run \`npm ci\` and \`npm run build\`, then this again.`);
  return files;
}

/** onnxruntime-node with the target's binaries, and the onnxruntime-common that it requires. */
async function runtimeOf(root: string, target: Target): Promise<ContentFile[]> {
  // Their main files: `exports` hides the manifest of the second.
  const main = createRequire(join(root, "package.json")).resolve("onnxruntime-node");
  const node = join(dirname(main), "..");
  const common = join(dirname(createRequire(main).resolve("onnxruntime-common")), "..", "..");
  const of = (folder: string, name: string, path: string): ContentFile => ({
    path: posix.join(MODULES, name, path),
    source: join(folder, path),
  });
  return [
    ...[
      "package.json",
      ...["onnxruntime_binding.node", target.library].map((name) => `${binariesOf(target)}/${name}`),
    ].map((path) => of(node, "onnxruntime-node", path)),
    ...(await filesEnding(join(node, "dist"), ".js", `${MODULES}/onnxruntime-node/dist`)),
    ...["package.json", "dist/cjs/package.json"].map((path) => of(common, "onnxruntime-common", path)),
    ...(await filesEnding(join(common, "dist", "cjs"), ".js", `${MODULES}/onnxruntime-common/dist/cjs`)),
  ];
}

async function filesEnding(folder: string, ending: string, into: string): Promise<ContentFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending));
  return names.map((name) => ({ path: posix.join(into, name), source: join(folder, name) }));
}
