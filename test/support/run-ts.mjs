// Runs a TypeScript script: node test/support/run-ts.mjs FILE [ARGUMENT…]
// The script and what it imports from this repository are bundled into .cache/run/, packages stay in
// node_modules. It sees `process.argv` as if Node had started it directly; an error ends it with exit code 1.
import { build } from "esbuild";
import { rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { watInBundles } from "../../server/wat.mjs";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error("Usage: node test/support/run-ts.mjs FILE [ARGUMENT…]");
  process.exit(2);
}

const bundle = resolve(".cache/run", `${basename(file, ".ts")}-${process.pid}.mjs`);
const removeBundle = () => rm(bundle, { force: true });
process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], resolve(file), ...rest];
try {
  await build({
    entryPoints: [file],
    outfile: bundle,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning",
    plugins: [watInBundles],
  });
  await import(pathToFileURL(bundle).href);
} catch (error) {
  console.error(error instanceof Error && process.env.DEBUG === undefined ? error.message : error);
  process.exitCode = 1;
} finally {
  await removeBundle();
}
