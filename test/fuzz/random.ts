/** Seeded choices for mutations: the same seed makes the same mutant. */
import { uniform } from "../support/arrays.js";

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    // Neighbouring seeds must not make neighbouring first choices.
    this.#next = uniform(Math.imul(seed + 1, 0x9e3779b1));
    for (let i = 0; i < 4; i++) this.#next();
  }

  /** A whole number in [0, limit); 0 when there is none. */
  below(limit: number): number {
    return limit <= 0 ? 0 : Math.floor(this.#next() * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  /** One of a list that is not empty. */
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** One of a list, or undefined when it is empty. */
  maybe<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }
}
