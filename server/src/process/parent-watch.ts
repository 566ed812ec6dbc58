/**
 * Ends this process soon after its parent is gone. A run of ONNX Runtime blocks the main thread, where `disconnect`
 * then never fires, so a thread with an event loop of its own looks after the parent. The grace lets a job that reaches
 * a checkpoint in time remove its temporary files.
 */
import { Worker } from "node:worker_threads";

const intervalMs = 500;
const graceChecks = 2;

/** Starts the watching thread. @param parent process id of the parent. */
export function watchParent(parent: number): void {
  const source = `(${watch.toString()})(${parent}, ${intervalMs}, ${graceChecks})`;
  new Worker(source, { eval: true, env: {}, execArgv: [] }).unref();
}

/** Runs in the thread, from its source text: it may use globals only. */
function watch(parent: number, interval: number, grace: number): void {
  let missed = 0;
  const isGone = (): boolean => {
    // An orphan gets another parent, except on Windows, where the parent's id stays and is looked up instead.
    if (process.ppid !== parent) return true;
    try {
      process.kill(parent, 0);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
  };
  setInterval(() => {
    if (isGone() && ++missed > grace) process.kill(process.pid, "SIGKILL");
  }, interval);
}
