// WebAssembly from its text: `import code from "./kernel.wat"` is the module's bytes, a Uint8Array, wherever the sources
// are bundled (esbuild) or run (Vitest).
import { readFile } from "node:fs/promises";
import wabt from "wabt";

const features = { simd: true };

/** A script that exports the bytes of the module in the file at `path`. Throws with line and column where it is wrong. */
async function assemble(path) {
  const { parseWat } = await wabt();
  const module = parseWat(path, await readFile(path, "utf8"), features);
  try {
    module.validate(features);
    return `export default Uint8Array.of(${module.toBinary({}).buffer.join()});`;
  } finally {
    module.destroy();
  }
}

/** Plugin for esbuild. */
export const watInBundles = {
  name: "wat",
  setup(build) {
    build.onLoad({ filter: /\.wat$/ }, async ({ path }) => ({
      contents: await assemble(path),
      watchFiles: [path],
    }));
  },
};

/** Plugin for Vite. */
export const watInTests = {
  name: "wat",
  enforce: "pre",
  async load(id) {
    if (!id.endsWith(".wat")) return null;
    this.addWatchFile(id);
    return assemble(id);
  },
};
