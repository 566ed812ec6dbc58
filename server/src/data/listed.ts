/** Names for a message; of very many the first. */
export function listed(names: readonly string[], most = 20): string {
  if (names.length === 0) return "no array";
  const shown = names.slice(0, most).map((name) => `"${name}"`);
  return [...shown, ...(names.length > most ? [`${names.length - most} more`] : [])].join(", ");
}
