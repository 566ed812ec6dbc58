// Builds everything that ships into dist/: extension, server, engine, CLI (for Node) and the results view (for the
// webview and the HTML report). onnxruntime-node stays outside: it is a native library that is packaged as it is.
import { build, context } from "esbuild";
import { rmSync } from "node:fs";
import { argv } from "node:process";

const watch = argv.includes("--watch");
const common = { bundle: true, minify: !watch, sourcemap: watch, legalComments: "none", logLevel: "warning", outdir: "dist" };
const node = { ...common, platform: "node", target: "node20", format: "cjs", external: ["vscode", "onnxruntime-node"] };

const builds = [
  { ...node, entryPoints: { extension: "client/src/extension.ts", server: "server/src/main.ts", engine: "server/src/engine/entry.ts" } },
  { ...node, entryPoints: { cli: "server/src/cli.ts" }, banner: { js: "#!/usr/bin/env node" } },
  { ...common, platform: "browser", target: "es2022", format: "iife", entryPoints: { webview: "webview/src/main.ts" } },
];

rmSync("dist", { recursive: true, force: true });
if (watch) for (const options of builds) await (await context(options)).watch();
else await Promise.all(builds.map((options) => build(options)));
