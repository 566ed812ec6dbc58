/**
 * JSON of strangers: what is parsed is bounded in size, depth and number of values before an object of it exists, says
 * everything once, holds finite numbers only, and has no names that reach into the prototypes of objects.
 */
import { visit } from "jsonc-parser";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** What a text may be at most. */
export interface JsonLimits {
  /** Objects and lists inside each other: what is deeper would exhaust the stack of whoever walks it. */
  readonly depth: number;
  /** Values of all kinds: each takes memory, however short it is written. */
  readonly values: number;
}

/** Names that every object answers to: an assignment to one of them changes more than the object. */
const reserved: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * The value of a text.
 * @param refuse throws with the end of a sentence about the text: `is no JSON: …`.
 */
export function parseJson(text: string, { depth, values }: JsonLimits, refuse: (why: string) => never): Json {
  const keys: Set<string>[] = [];
  let deep = 0;
  let count = 0;
  const value = (): void => {
    if (++count > values) refuse(`holds more than ${values} values`);
  };
  const enter = (): void => {
    value();
    if (++deep > depth) refuse(`is nested more than ${depth} deep`);
  };
  visit(
    text,
    {
      onObjectBegin: () => {
        enter();
        keys.push(new Set());
      },
      onObjectProperty: (key) => {
        if (reserved.has(key)) refuse(`has an entry "${key}", which no model has. It may be an attack`);
        const own = keys.at(-1)!;
        if (own.has(key)) refuse(`has two entries ${shortened(key)} in one object`);
        own.add(key);
      },
      onObjectEnd: () => {
        keys.pop();
        deep--;
      },
      onArrayBegin: enter,
      onArrayEnd: () => {
        deep--;
      },
      onLiteralValue: (literal: unknown) => {
        value();
        if (typeof literal === "number" && !Number.isFinite(literal)) refuse("holds a number that is not finite");
      },
      onError: (_code, offset, _length, line, character) =>
        refuse(
          offset >= text.length
            ? "is no JSON: it ends too early"
            : `is no JSON (line ${line + 1}, character ${character + 1})`,
        ),
    },
    { disallowComments: true },
  );
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    return refuse(`is no JSON: ${(error as Error).message}`);
  }
}

/** A name as errors show it: in quotes, its beginning where it is very long. */
export function shortened(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
