import type { Plugin } from "esbuild";

/** Plugin for esbuild, and the same for Vite: what they import from `*.wat` is the bytes of the module. */
export declare const watInBundles: Plugin;
export declare const watInTests: { readonly name: string };
