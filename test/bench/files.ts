/** What benchmarks of files share: how long something takes, copying as `cp` and `sync` do, and the engine's peak memory. */
import { closeSync, copyFileSync, fsyncSync, openSync, readdirSync, readFileSync } from "node:fs";

/** Milliseconds that `work` takes. */
export function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/** What `cp` and `sync` of the file do. */
export function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  const fd = openSync(to, "r+");
  fsyncSync(fd);
  closeSync(fd);
}

/** Peak resident memory, in bytes, of this process's engine (Linux). */
export function peakMemory(): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== process.pid || !command.includes("engine.js")) continue;
      return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]);
    } catch {
      // The process ended while it was looked at.
    }
  }
  return NaN;
}
