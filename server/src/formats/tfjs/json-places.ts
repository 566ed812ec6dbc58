/**
 * Where in the text of a JSON file something stands, so that it can be changed without a change to any other character.
 * One pass over the characters that keeps only the path that is looked for: a topology may be long, and nested deeply.
 */

/** A value of the text; of an object, where a member would be put behind its last one. */
export interface JsonPlace {
  readonly kind: "object" | "null" | "other";
  /** Of an object: where a further member goes. Else where the value begins. */
  readonly offset: number;
  /** Of a value that is no object. */
  readonly length: number;
  /** Of an object: whether it has no members. */
  readonly empty: boolean;
  /** Of an object: white space before its last member, which is how the text is laid out. */
  readonly before: string;
}

/** An object on the path, while it is read. */
interface Frame {
  /** Names of the path that lead to it. */
  readonly slot: number;
  readonly depth: number;
  last: number;
}

/** Most white space that is looked back for. */
const longestIndent = 200;

/**
 * The values that `names` lead to, one inside the other: first the whole text, last what all names lead to; only as many
 * as there are.
 * @param text JSON without errors, and without two members of one name in an object.
 */
export function placesAlong(text: string, names: readonly string[]): readonly JsonPlace[] {
  const places: JsonPlace[] = [];
  const frames: Frame[] = [];
  /** Which place the value that comes next has; −1 where it is not on the path. */
  let slot = 0;
  let depth = 0;
  /** Whether a string would be the name of a member. */
  let named = false;
  for (let at = 0; at < text.length; at++) {
    const frame = frames.at(-1)?.depth === depth ? frames.at(-1)! : null;
    const start = at;
    switch (text[at]) {
      case " ":
      case "\t":
      case "\n":
      case "\r":
      case ":":
        continue;
      case ",":
        named = frame !== null;
        continue;
      case "{":
        depth++;
        if (slot >= 0) frames.push({ slot, depth, last: -1 });
        named = slot >= 0;
        slot = -1;
        continue;
      case "[":
        if (slot >= 0) places[slot] = { kind: "other", offset: at, length: 1, empty: true, before: "" };
        depth++;
        named = false;
        slot = -1;
        continue;
      case "}":
        if (frame !== null) {
          frames.pop();
          places[frame.slot] = afterMembers(text, frame.last, at);
        }
        depth--;
        named = false;
        continue;
      case "]":
        depth--;
        named = false;
        continue;
      case '"':
        at = stringEnd(text, at);
        break;
      default:
        while (!/[\s,}\]]/.test(text[at + 1] ?? ",")) at++;
    }
    if (named && frame !== null) {
      frame.last = start;
      named = false;
      if (JSON.parse(text.slice(start, at + 1)) !== names[frame.slot]) continue;
      slot = frame.slot + 1;
    } else if (slot >= 0) {
      const length = at + 1 - start;
      const kind = text.startsWith("null", start) ? "null" : "other";
      places[slot] = { kind, offset: start, length, empty: true, before: "" };
      slot = -1;
    }
  }
  return places;
}

/** Where a member goes into an object whose last one begins at `last` (−1 where it has none) and which closes at `close`. */
function afterMembers(text: string, last: number, close: number): JsonPlace {
  const offset = text.slice(0, close).trimEnd().length;
  if (last < 0) return { kind: "object", offset, length: 0, empty: true, before: "" };
  const before = /\s*$/.exec(text.slice(Math.max(0, last - longestIndent), last))![0];
  return { kind: "object", offset, length: 0, empty: false, before };
}

/** Index of the quote that closes the string which begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const end = text.indexOf('"', at);
    let first = end;
    while (text[first - 1] === "\\") first--;
    // An even number of backslashes escapes itself.
    if ((end - first) % 2 === 0) return end;
    at = end;
  }
}
