/**
 * Remembers which file crashed the engine in which stage of which job, so that a file that does so twice is not tried
 * again until it changes or a person asks for it. A file is known by path, size and time of modification.
 */
import { stat } from "node:fs/promises";
import type { JobName } from "../../protocol/requests.js";

/** Crashes at one stage after which a job is refused. */
const mostCrashes = 2;

/** A job on a file as it is now. */
export interface CrashSubject {
  readonly job: JobName;
  readonly path: string;
  /** Size and time of modification. */
  readonly version: string;
}

interface CrashRecord {
  readonly version: string;
  /** Crashes by stage. */
  readonly crashes: Map<string, number>;
}

/** Looks at the file. A file that cannot be read has a version of its own. */
export async function crashSubject(job: JobName, path: string): Promise<CrashSubject> {
  try {
    const { size, mtimeNs } = await stat(path, { bigint: true });
    return { job, path, version: `${String(size)} ${String(mtimeNs)}` };
  } catch {
    return { job, path, version: "missing" };
  }
}

export class CrashLedger {
  readonly #records = new Map<string, CrashRecord>();

  /** Counts a crash. */
  record(subject: CrashSubject, stage: string): void {
    const crashes = this.#recordOf(subject)?.crashes ?? new Map<string, number>();
    crashes.set(stage, (crashes.get(stage) ?? 0) + 1);
    this.#records.set(key(subject), { version: subject.version, crashes });
  }

  /** The stage for which the job is refused, or null when it may run. */
  refusedFor(subject: CrashSubject): string | null {
    for (const [stage, count] of this.#recordOf(subject)?.crashes ?? []) if (count >= mostCrashes) return stage;
    return null;
  }

  /** Starts afresh: the job went well, or a person asked for it. */
  forget(subject: CrashSubject): void {
    this.#records.delete(key(subject));
  }

  #recordOf(subject: CrashSubject): CrashRecord | undefined {
    const record = this.#records.get(key(subject));
    return record?.version === subject.version ? record : undefined;
  }
}

function key({ job, path }: CrashSubject): string {
  return `${job} ${path}`;
}
