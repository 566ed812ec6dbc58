/**
 * Checks what comes over the language server's connection: everything is looked at here once, and trusted inside.
 * Unknown fields are dropped. Every check throws `bad-request` and names the field.
 */
import { PruneScopeError } from "./errors.js";
import { maxAxisLength, maxSigmaB, parsePattern, parseRecipe } from "./recipe.js";
import type {
  CloseParams,
  DynamicAxes,
  InitializationOptions,
  JobName,
  Jobs,
  ModelRef,
  ServerSettings,
} from "./requests.js";

/** Checks the parameters of a job. @throws PruneScopeError `bad-request`. */
export function parseJobParams<J extends JobName>(job: J, input: unknown): Jobs[J]["params"] {
  return jobParsers[job](new Fields(input));
}

/** Checks `initializationOptions`. @throws PruneScopeError `bad-request`. */
export function parseInitializationOptions(input: unknown): InitializationOptions {
  const fields = new Fields(input);
  return { ...settings(fields), storage: fields.absolutePath("storage") };
}

/** Checks the parameters of `prunescope/configure`. @throws PruneScopeError `bad-request`. */
export function parseServerSettings(input: unknown): ServerSettings {
  return settings(new Fields(input));
}

/** Checks the parameters of `prunescope/close`. @throws PruneScopeError `bad-request`. */
export function parseCloseParams(input: unknown): CloseParams {
  return { uri: new Fields(input).uri("uri") };
}

const jobParsers: { readonly [J in JobName]: (fields: Fields) => Jobs[J]["params"] } = {
  open: (fields) => ({ ...model(fields), dynamicAxes: dynamicAxes(fields), ...retry(fields) }),
  shapes: (fields) => ({ ...model(fields), dynamicAxes: dynamicAxes(fields), ...retry(fields) }),
  analyze: (fields) => ({ ...model(fields), recipe: parseRecipe(fields.get("recipe")), ...retry(fields) }),
  survival: (fields) => ({ ...model(fields), recipe: parseRecipe(fields.get("recipe")), ...retry(fields) }),
  save: (fields) => ({
    ...model(fields),
    recipe: parseRecipe(fields.get("recipe")),
    target: fields.absolutePath("target"),
    replaceOriginal: fields.boolean("replaceOriginal"),
    metadata: fields.boolean("metadata"),
    ...(fields.get("fingerprint") === undefined ? {} : { fingerprint: fields.string("fingerprint") }),
  }),
  verify: (fields) => ({
    ...model(fields),
    pruned: fields.absolutePath("pruned"),
    seed: fields.whole("seed", 0, 0xffffffff),
    dynamicAxes: dynamicAxes(fields),
  }),
  compress: (fields) => ({ ...model(fields), pruned: fields.absolutePath("pruned") }),
  check: (fields) => ({
    ...model(fields),
    pattern: parsePattern(fields.get("pattern")),
    exclude: fields.strings("exclude"),
  }),
  held: model,
  compare: (fields) => ({
    ...model(fields),
    pruned: fields.absolutePath("pruned"),
    recipe: parseRecipe(fields.get("recipe")),
    latencySeconds: fields.number("latencySeconds", 0, 3600),
  }),
  export: (fields) => ({
    ...model(fields),
    recipe: parseRecipe(fields.get("recipe")),
    target: fields.absolutePath("target"),
    what: fields.oneOf("what", ["mask", "scores"]),
  }),
  theory: (fields) => ({
    ...model(fields),
    sigmaB: fields.number("sigmaB", 0, maxSigmaB),
    dynamicAxes: dynamicAxes(fields),
  }),
  collapse: (fields) => ({ ...model(fields), recipe: parseRecipe(fields.get("recipe")), ...retry(fields) }),
  measure: (fields) => ({
    ...model(fields),
    recipe: parseRecipe(fields.get("recipe")),
    stabilityRuns: fields.whole("stabilityRuns", 0, 100),
  }),
  remedies: (fields) => ({
    ...model(fields),
    recipe: parseRecipe(fields.get("recipe")),
    budget: fields.number("budget", 0, 86400),
  }),
  parity: (fields) => ({
    ...model(fields),
    seed: fields.whole("seed", 0, 0xffffffff),
    dynamicAxes: dynamicAxes(fields),
  }),
};

function model(fields: Fields): ModelRef {
  return { uri: fields.uri("uri"), path: fields.absolutePath("path") };
}

function retry(fields: Fields): { readonly retry?: boolean } {
  return fields.get("retry") === undefined ? {} : { retry: fields.boolean("retry") };
}

function dynamicAxes(fields: Fields): DynamicAxes {
  const axes = new Fields(fields.get("dynamicAxes"), "dynamicAxes");
  return Object.fromEntries(axes.names().map((name) => [name, axes.whole(name, 1, maxAxisLength)]));
}

function settings(fields: Fields): ServerSettings {
  return {
    threads: fields.whole("threads", 0, 1024),
    memoryLimit: fields.whole("memoryLimit", 0, Number.MAX_SAFE_INTEGER),
    cacheMaxSize: fields.whole("cacheMaxSize", 0, Number.MAX_SAFE_INTEGER),
    ...(fields.get("tfjsNodePath") === undefined ? {} : { tfjsNodePath: fields.text("tfjsNodePath") }),
  };
}

/** The fields of an object from outside. */
class Fields {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #place: string;

  /** @param place what the object is called in messages; the parameters themselves when it is empty. */
  constructor(input: unknown, place = "") {
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      throw new PruneScopeError("bad-request", `${place === "" ? "The parameters" : place} must be an object.`);
    }
    this.#values = new Map(Object.entries(input));
    this.#place = place;
  }

  names(): string[] {
    return [...this.#values.keys()];
  }

  get(name: string): unknown {
    return this.#values.get(name);
  }

  string(name: string): string {
    const value = this.get(name);
    return typeof value === "string" && value !== "" ? value : this.#wrong(name, "a string that is not empty");
  }

  /** A string that may be empty. */
  text(name: string): string {
    const value = this.get(name);
    return typeof value === "string" ? value : this.#wrong(name, "a string");
  }

  strings(name: string): readonly string[] {
    const value = this.get(name);
    const strings = Array.isArray(value) && value.every((one): one is string => typeof one === "string");
    return strings ? value : this.#wrong(name, "a list of strings");
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.get(name) as T;
    return choices.includes(value) ? value : this.#wrong(name, choices.join(" or "));
  }

  boolean(name: string): boolean {
    const value = this.get(name);
    return typeof value === "boolean" ? value : this.#wrong(name, "true or false");
  }

  whole(name: string, least: number, most: number): number {
    const value = this.get(name);
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.#wrong(name, `a whole number from ${least} to ${most}`);
  }

  number(name: string, least: number, most: number): number {
    const value = this.get(name);
    if (typeof value === "number" && value >= least && value <= most) return value;
    return this.#wrong(name, `a number from ${least} to ${most}`);
  }

  uri(name: string): string {
    const value = this.get(name);
    return typeof value === "string" && /^[a-z][a-z0-9+.-]*:/i.test(value) ? value : this.#wrong(name, "a URI");
  }

  /** A path that is absolute on POSIX or on Windows; the file system refuses those of the other one. */
  absolutePath(name: string): string {
    const value = this.get(name);
    if (typeof value === "string" && /^(?:\/|[a-z]:[\\/]|\\\\)/i.test(value) && !value.includes("\0")) return value;
    return this.#wrong(name, "an absolute path");
  }

  #wrong(name: string, expected: string): never {
    const place = this.#place === "" ? name : `${this.#place}[${JSON.stringify(name)}]`;
    throw new PruneScopeError("bad-request", `${place} must be ${expected}.`);
  }
}
