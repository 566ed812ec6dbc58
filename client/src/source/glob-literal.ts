/** File names as VS Code glob patterns that match nothing but that name. */

/** Escapes every character that means something in a glob by a class that holds it alone. */
export function globLiteral(name: string): string {
  return name.replace(/[[\]{}*?]/g, (character) => `[${character}]`);
}
