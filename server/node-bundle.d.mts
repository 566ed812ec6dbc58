import type { BuildOptions } from "esbuild";

/** Options for esbuild of everything that runs in Node. */
export declare const nodeBundle: BuildOptions;
