/**
 * Decides when a file that changes on disk has stopped changing: its size and time of change stayed the same for a
 * second. Exporters write large models for many seconds, and a half-written one is no model. Reading the file's state
 * and waiting are ports.
 */

/** What identifies a state of a file. */
export interface FileState {
  readonly size: number;
  readonly changed: number;
  /** Changes when the file is replaced by another of the same name; 0 where that is not known. */
  readonly identity: number;
}

export interface SettlingPorts {
  /** State of the file now; null when there is none. */
  state(): Promise<FileState | null>;
  wait(milliseconds: number): Promise<void>;
}

export interface SettlingListener {
  /** The file is not as it was and may still be changing. Called once per change. */
  changing(): void;
  /** The file has stopped changing and differs from what it was, or is back after it was gone. */
  settled(): void;
  /** There is no file any more. */
  deleted(): void;
}

/** The state of several files as one, which changes when one of them changes, comes or goes. */
export function sumOf(states: readonly (FileState | null)[]): FileState {
  const sum = (value: (state: FileState) => number): number =>
    states.reduce((total, state) => total + (state === null ? 0 : value(state)), 0);
  return {
    size: sum(({ size }) => size),
    changed: sum(({ changed }) => changed),
    identity: sum(({ identity }) => identity),
  };
}

const interval = 250;
/** Milliseconds without a change after which a file has settled. */
export const quiet = 1000;

export class SettlingFile {
  #known: FileState | null | undefined;
  #looking: Promise<void> | null = null;
  #again = false;
  #disposed = false;

  constructor(
    private readonly ports: SettlingPorts,
    private readonly listener: SettlingListener,
  ) {}

  /** Looks at the file, and goes on looking while it changes. Resolves when it has settled or is gone. */
  async touch(): Promise<void> {
    // What happens while it looks may come after its last look.
    this.#again = true;
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = null;
    });
    await this.#looking;
  }

  dispose(): void {
    this.#disposed = true;
  }

  async #lookAgain(): Promise<void> {
    while (this.#again && !this.#disposed) {
      this.#again = false;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    if (this.#known === undefined) {
      this.#known = await this.ports.state();
      return;
    }
    let last = await this.ports.state();
    if (same(last, this.#known)) return;
    let told = false;
    let quietFor = 0;
    while (quietFor < quiet) {
      if (last !== null && !told && !this.#disposed) {
        told = true;
        this.listener.changing();
      }
      await this.ports.wait(interval);
      if (this.#disposed) return;
      const now = await this.ports.state();
      quietFor = same(now, last) ? quietFor + interval : 0;
      last = now;
    }
    const before = this.#known;
    this.#known = last;
    if (last === null) this.listener.deleted();
    // Back as it was (a tool that touches and restores it): still told, since `changing` was.
    else if (told || !same(last, before)) this.listener.settled();
  }
}

function same(a: FileState | null, b: FileState | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && a.changed === b.changed && a.identity === b.identity;
}
