/** What is thrown when an engine process ends by itself during a job. */
import { PruneScopeError, type ErrorSubject } from "../../protocol/errors.js";
import { describeEnd, type ProcessEnd } from "../process/process-end.js";

/** The engine died in the middle of a job: by a signal (a crash in native code, or a kill), or with an exit code. */
export class EngineCrash extends PruneScopeError {
  constructor(
    /** The last stage of the job that was reported, or the job's name. */
    readonly stage: string,
    readonly end: ProcessEnd,
    about: ErrorSubject,
  ) {
    super("engine-crash", `The analysis engine ${describeEnd(end)} in the stage "${stage}".`, about);
  }
}
