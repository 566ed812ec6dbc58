/** How much memory another process holds, where the system tells without starting a program: on Linux. */
import { readFile } from "node:fs/promises";

/** Resident memory of process `pid` in bytes, or null when it is gone or the platform does not say. */
export async function residentMemory(pid: number): Promise<number | null> {
  if (process.platform !== "linux") return null;
  try {
    const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"));
    return kilobytes === null ? null : Number(kilobytes[1]) * 1024;
  } catch {
    return null;
  }
}
