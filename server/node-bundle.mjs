// How what runs in Node is bundled, by the build and by tests that bundle parts of it: options for esbuild.
import { watInBundles } from "./wat.mjs";

export const nodeBundle = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode", "onnxruntime-node"],
  // Its main file asks for others in a way that cannot be followed.
  alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
  // What packages written as ES modules ask for has another name in CommonJS.
  define: { "import.meta.url": "__filename" },
  plugins: [watInBundles],
};
