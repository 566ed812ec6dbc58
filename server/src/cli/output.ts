/** Where a command's text goes: to standard output, as it comes, or to a file, all at once at the end. */
import { writeFile } from "node:fs/promises";
import { PruneScopeError } from "../../protocol/errors.js";

export class Output {
  readonly #file: string | undefined;
  readonly #held: string[] = [];

  constructor(file: string | undefined) {
    this.#file = file;
  }

  async write(text: string): Promise<void> {
    if (this.#file !== undefined) {
      this.#held.push(text);
      return;
    }
    // All of it before the process ends, also into a pipe.
    await new Promise<void>((done) =>
      process.stdout.write(text, () => {
        done();
      }),
    );
  }

  /** Writes the file, where there is one. @throws PruneScopeError `write-failed`. */
  async end(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    try {
      await writeFile(file, this.#held.join(""));
    } catch (error) {
      throw new PruneScopeError(
        "write-failed",
        `${file} was not written: ${(error as Error).message}.`,
        { file },
        { cause: error },
      );
    }
  }
}
