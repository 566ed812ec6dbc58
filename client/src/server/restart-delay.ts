/**
 * How long to wait before a server that died is started again: not at all at first, so that a crash is hardly noticed,
 * then longer and longer, so that one that dies at once does not keep the machine busy.
 */

/** Deaths that are older than this are forgotten. */
export const forgetAfter = 3 * 60_000;

/** Milliseconds to wait, given the times of all deaths so far, the last one included. */
export function restartDelay(deaths: readonly number[], now: number): number {
  const recent = deaths.filter((time) => now - time < forgetAfter).length;
  return recent <= 2 ? 0 : Math.min(30_000, 1000 * 2 ** (recent - 3));
}
