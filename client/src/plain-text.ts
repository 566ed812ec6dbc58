/**
 * Text for notifications, titles and prompts. VS Code makes links, `command:` ones included, of `[label](target)` in
 * them, and names in a model come from strangers: nothing may become a link, a second line or invisible.
 */

/** Longest sentence that is shown in full. */
const longest = 400;

/** `text` on one line, without links, control characters or changes of writing direction, cut when it is long. */
export function plainText(text: string): string {
  const line = text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "")
    .replace(/\]\(/g, "] (")
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
