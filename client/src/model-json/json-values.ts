/**
 * Walks JSON text value by value and builds nothing: for a look at the beginning of a file that may be large, cut off,
 * broken or hostile. It ends in peace where the text ends or is no JSON.
 */

/** A value where it begins: containers at their bracket, before what they hold. */
export interface JsonValue {
  /** Keys and indices that lead to it. It is changed by the next step. */
  readonly path: readonly (number | string)[];
  readonly kind: "array" | "literal" | "number" | "object" | "string";
  /** A string's content, a number's or a literal's text; empty for containers. */
  readonly value: string;
}

/** Levels after which the walk ends: nothing that is looked for lies deeper. */
const deepest = 64;

const plain = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** A value and all that it holds, in the order of the text. @returns whether the walk came to the value's end. */
export function* jsonValues(text: string): Generator<JsonValue, boolean> {
  const path: (number | string)[] = [];
  let at = afterSpace(text, 0);
  for (;;) {
    const first = text[at];
    if (first === "{" || first === "[") {
      yield { path, kind: first === "{" ? "object" : "array", value: "" };
      at = afterSpace(text, at + 1);
      if (text[at] === closing(first)) at++;
      else {
        if (path.length === deepest) return false;
        const key = first === "[" ? { key: 0, end: at } : keyAt(text, at);
        if (key === null) return false;
        path.push(key.key);
        at = key.end;
        continue;
      }
    } else if (first === '"') {
      const string = stringAt(text, at);
      if (string === null) return false;
      yield { path, kind: "string", value: string.value };
      at = string.end;
    } else {
      plain.lastIndex = at;
      const value = plain.exec(text)?.[0];
      if (value === undefined) return false;
      yield { path, kind: /[a-z]$/.test(value) ? "literal" : "number", value };
      at += value.length;
    }
    // What comes after a value: the ends of containers, then another value or nothing.
    for (;;) {
      const last = path.at(-1);
      if (last === undefined) return true;
      at = afterSpace(text, at);
      const next = text[at++];
      if (next === closing(typeof last === "string" ? "{" : "[")) path.pop();
      else if (next === ",") {
        const key = typeof last === "number" ? { key: last + 1, end: at } : keyAt(text, at);
        if (key === null) return false;
        path[path.length - 1] = key.key;
        at = afterSpace(text, key.end);
        break;
      } else return false;
    }
  }
}

const closing = (opening: "[" | "{"): string => (opening === "{" ? "}" : "]");

function afterSpace(text: string, at: number): number {
  for (let next = at; ; next++) {
    const code = text.charCodeAt(next);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return next;
  }
}

/** A key and its colon. */
function keyAt(text: string, at: number): { readonly key: string; readonly end: number } | null {
  const string = stringAt(text, afterSpace(text, at));
  if (string === null) return null;
  const colon = afterSpace(text, string.end);
  return text[colon] === ":" ? { key: string.value, end: afterSpace(text, colon + 1) } : null;
}

function stringAt(text: string, at: number): { readonly value: string; readonly end: number } | null {
  if (text[at] !== '"') return null;
  let end = text.indexOf('"', at + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  if (end < 0) return null;
  const raw = text.slice(at, end + 1);
  try {
    return { value: raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1), end: end + 1 };
  } catch {
    return null;
  }
}

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text[before] === "\\") before--;
  return (at - before) % 2 === 0;
}
