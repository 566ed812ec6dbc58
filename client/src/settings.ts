/**
 * The person's settings, read once per request and passed by value. `settings.json` can hold anything, so every value
 * is checked, and one that is out of range falls back to its default.
 */
import { workspace, type Uri } from "vscode";
import { defaultRecipe, type Recipe, type Scope } from "../../server/protocol/recipe.js";
import type { DynamicAxes, ServerSettings } from "../../server/protocol/requests.js";
import { maxAxisLength } from "../../server/protocol/recipe.js";

/** What analysing and saving a model depends on. */
export interface ModelSettings {
  readonly recipe: Recipe;
  readonly dynamicAxes: DynamicAxes;
  readonly analyzeOnOpen: boolean;
}

export type TraceLevel = "off" | "messages" | "verbose";

/** Reads one setting by its name below `prunescope.`. */
export type GetSetting = (key: string) => unknown;

/** Settings for a model, those of its workspace folder included. */
export function modelSettings(uri: Uri): ModelSettings {
  return parseModelSettings(getterFor(uri));
}

/** Settings of the server and its engine. */
export function serverSettings(): ServerSettings {
  return parseServerSettings(getterFor(undefined));
}

/** How much of the traffic with the server is logged. */
export function traceLevel(): TraceLevel {
  const value = getterFor(undefined)("trace.server");
  return value === "messages" || value === "verbose" ? value : "off";
}

/** Checks the settings for a model. */
export function parseModelSettings(get: GetSetting): ModelSettings {
  const criterion = get("criterion");
  const scope = get("scope");
  const sparsity = number(get("sparsity"), 0, 1, defaultRecipe.sparsity);
  const dynamicAxes = axes(get("dynamicAxes"));
  return {
    recipe: {
      ...defaultRecipe,
      axes: dynamicAxes,
      criterion: typeof criterion === "string" && criterion !== "" ? criterion : defaultRecipe.criterion,
      sparsity: sparsity < 1 ? sparsity : defaultRecipe.sparsity,
      scope: scope === "global" || scope === "layer" ? (scope satisfies Scope) : defaultRecipe.scope,
      seed: whole(get("seed"), 0, 0xffffffff, defaultRecipe.seed),
    },
    dynamicAxes,
    analyzeOnOpen: get("analyzeOnOpen") !== false,
  };
}

/** Checks the settings of the server. */
export function parseServerSettings(get: GetSetting): ServerSettings {
  return {
    threads: whole(get("engine.threads"), 0, 1024, 0),
    memoryLimit: whole(get("engine.memoryLimit"), 0, Number.MAX_SAFE_INTEGER, 0),
    cacheMaxSize: whole(get("cache.maxSize"), 0, Number.MAX_SAFE_INTEGER, 1024),
    tfjsNodePath: text(get("tfjsNode.path")),
  };
}

function getterFor(uri: Uri | undefined): GetSetting {
  const configuration = workspace.getConfiguration("prunescope", uri);
  return (key) => configuration.get(key);
}

function number(value: unknown, least: number, most: number, fallback: number): number {
  return typeof value === "number" && value >= least && value <= most ? value : fallback;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function whole(value: unknown, least: number, most: number, fallback: number): number {
  return Number.isInteger(value) ? number(value, least, most, fallback) : fallback;
}

function axes(value: unknown): DynamicAxes {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const lengths = Object.entries(value).filter(
    (entry): entry is [string, number] => Number.isInteger(entry[1]) && entry[1] > 0 && entry[1] <= maxAxisLength,
  );
  return Object.fromEntries(lengths);
}
