// Builds everything that ships into dist/: extension, server, engine, CLI (for Node) and the results view (for the
// webview and the HTML report), and the licences of what is bundled. onnxruntime-node stays outside: it is a native
// library that is packaged as it is.
import { build, context } from "esbuild";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { nodeBundle } from "./server/node-bundle.mjs";

const watch = argv.includes("--watch");
const common = {
  bundle: true,
  minify: !watch,
  sourcemap: watch,
  legalComments: "none",
  logLevel: watch ? "info" : "warning",
  metafile: true,
  outdir: "dist",
};
const node = { ...common, ...nodeBundle };

const builds = [
  {
    ...node,
    entryPoints: {
      extension: "client/src/extension.ts",
      server: "server/src/main.ts",
      engine: "server/src/engine/entry.ts",
      tfjs: "server/src/tfjs/entry.ts",
    },
  },
  { ...node, entryPoints: { cli: "server/src/cli.ts" }, banner: { js: "#!/usr/bin/env node" } },
  { ...common, platform: "browser", target: "es2022", format: "iife", entryPoints: { webview: "webview/src/main.ts" } },
];

/** The text of the Apache License 2.0, for packages that carry its name only, as those of TensorFlow.js do. */
const apache = readFileSync("node_modules/typescript/LICENSE.txt", "utf8").trim();

/** Name, licence and licence text of every package that the bundles hold, and of the runtime beside them. */
function thirdPartyNotices(results) {
  const folders = new Set(["node_modules/onnxruntime-node", "node_modules/onnxruntime-common"]);
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  }
  const notices = [...folders].sort().map((folder) => {
    const { name, version, license, author, repository } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|-|$)/i.test(entry));
    const by = typeof author === "string" ? author : author?.name;
    const text =
      file !== undefined && existsSync(join(folder, file))
        ? readFileSync(join(folder, file), "utf8").trim()
        : [by && `Copyright (c) ${by}`, repository?.url ?? repository, /Apache-2\.0/.test(license) && apache]
            .filter(Boolean)
            .join("\n");
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return `PruneScope contains or ships with the following packages.\n\n${notices.join(`\n${"-".repeat(80)}\n\n`)}`;
}

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
// The wasm backend of TensorFlow.js, which dist/tfjs.js reads. In Node.js it never takes the binary with threads.
for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"])
  copyFileSync(join("node_modules/@tensorflow/tfjs-backend-wasm/dist", name), join("dist", name));
if (watch) for (const options of builds) await (await context(options)).watch();
else
  writeFileSync(
    "dist/ThirdPartyNotices.txt",
    thirdPartyNotices(await Promise.all(builds.map((options) => build(options)))),
  );
