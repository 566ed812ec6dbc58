/**
 * A process for a test to kill: saves the model `FROM` to `TO`, over the model itself where both are the same, and says
 * when it begins. It does without scores, so that it starts fast: every byte of every weight becomes FILLING.
 * Arguments: FROM TO FILLING.
 */
import { filledCopy } from "./filled-copy.js";

const [from = "", to = "", filling = ""] = process.argv.slice(2);
process.stdout.write("begins\n", () => {
  filledCopy(from, to, Number(filling)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
});
