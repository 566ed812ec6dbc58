/** A process for a test to kill: it writes a temporary file for the target that it is given, and never finishes. */
import { AtomicFile } from "../../server/src/formats/atomic-file.js";

const file = new AtomicFile(process.argv[2]!);
const write = (): void => {
  if (file.size < 1e8) file.append(new Uint8Array(1 << 16));
  if (file.size === 1 << 18) process.stdout.write("writing\n");
  setTimeout(write, 1);
};
write();
