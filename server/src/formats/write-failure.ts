/** Why the disk did not take a file, in words for people. */
import { PruneScopeError } from "../../protocol/errors.js";

/** What codes of the operating system mean for someone who saves a model. */
function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full";
    case "EFBIG":
      return "the file system holds no file of this size";
    case "EACCES":
    case "EPERM":
      return process.platform === "win32"
        ? "another program has it open (another window, a virus scanner, a viewer), or the folder may not be written to"
        : "the folder or file may not be written to";
    case "EROFS":
      return "the folder or file may not be written to";
    case "EBUSY":
      return "another program has it open";
    case "ENOENT":
      return "the folder does not exist";
    default:
      return message;
  }
}

/** The error of a save that changed nothing: `write-failed`, unless it has a code of its own. */
export function writeFailure(target: string, error: unknown, after = "Nothing was changed."): PruneScopeError {
  if (error instanceof PruneScopeError) return error;
  return new PruneScopeError(
    "write-failed",
    `${target} was not saved: ${reasonOf(error as NodeJS.ErrnoException)}. ${after}`,
    { file: target },
    { cause: error },
  );
}
