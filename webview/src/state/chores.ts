/**
 * Work that can wait: built one piece a task, after what is due has been drawn, so that no piece holds up a key or a
 * pointer.
 */
import type { Clock } from "./clock.js";

export class Chores {
  readonly #waiting = new Set<() => void>();
  #started = false;

  constructor(private readonly clock: Clock) {}

  /** Does `chore` later; one that waits already is not done twice. */
  add(chore: () => void): void {
    this.#waiting.add(chore);
    if (this.#started) return;
    this.#started = true;
    this.clock.after(0, this.#next);
  }

  readonly #next = (): void => {
    const [chore] = this.#waiting;
    if (chore === undefined) {
      this.#started = false;
      return;
    }
    this.#waiting.delete(chore);
    chore();
    this.clock.after(0, this.#next);
  };
}
