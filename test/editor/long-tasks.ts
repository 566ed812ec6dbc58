// Long tasks of a view: what blocks its main thread for more than 50 ms. A PerformanceObserver in the view's frame
// tells which tasks were long by the clock, a trace of the browser how much processor time each of them really took:
// on a machine that is busy with other things (tests run beside each other) a task of 20 ms is "long" because it was
// kept waiting, which is not the view's doing. On an idle machine the two are the same.
//
// The hosts' webviews share a process with the workbench; tasks of the workbench alone ("same-origin-ancestor") are
// not counted.

import type { Frame, Page } from "playwright-core";

/** Above this a task is long, by the definition of the Long Tasks API; in milliseconds. */
export const longTask = 50;

/** A task that was long by the clock. */
export interface LongTask {
  /** Milliseconds by the clock. */
  readonly duration: number;
  /** Milliseconds of processor time. */
  readonly processor: number;
}

export interface TaskRecord {
  /** Every task of the view that was long by the clock. */
  readonly long: readonly LongTask[];
  /** The most processor time that any task of the browser's main thread took, the workbench's included. */
  readonly mostProcessor: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

interface Observed {
  readonly duration: number;
  readonly start: number;
}

const mark = "prunescope-recording";
const global = "prunescopeLongTasks";

/** Records while `action` runs. */
export async function recordTasks(page: Page, frame: Frame, action: () => Promise<void>): Promise<TaskRecord> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("The page has no browser to trace.");
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing"] });
  const markedAt = await frame.evaluate(observe, { mark, global });
  await action();
  const observed = await frame.evaluate(takeObserved, global);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString("utf8")) as { traceEvents: TraceEvent[] };

  const marked = traceEvents.find((event) => event.name === mark);
  if (marked === undefined) throw new Error("The trace does not hold the mark that was set in the view.");
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => name.endsWith("RunTask") && ph === "X" && pid === marked.pid && tid === marked.tid,
  );
  const recorded = tasks.filter((task) => task.ts >= marked.ts);
  const long = observed.map(({ start, duration }): LongTask => {
    const middle = marked.ts + 1000 * (start + duration / 2 - markedAt);
    const task = tasks.find(({ ts, dur = 0 }) => ts <= middle && middle <= ts + dur);
    // Without one to look up it is taken for what the clock says.
    return { duration, processor: task?.tdur === undefined ? duration : task.tdur / 1000 };
  });
  return { long, mostProcessor: Math.max(0, ...recorded.map(({ tdur = 0 }) => tdur)) / 1000 };
}

/** Runs in the view. @returns the time of the mark. */
function observe(names: { mark: string; global: string }): number {
  const found: Observed[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { name, startTime: start, duration } of list.getEntries()) {
      if (name !== "same-origin-ancestor") found.push({ start, duration });
    }
  });
  observer.observe({ type: "longtask" });
  Reflect.set(window, names.global, { found, observer });
  return performance.mark(names.mark).startTime;
}

/** Runs in the view; ends what `observe` began. */
function takeObserved(global: string): Observed[] {
  const { found, observer } = Reflect.get(window, global) as { found: Observed[]; observer: PerformanceObserver };
  for (const { name, startTime: start, duration } of observer.takeRecords()) {
    if (name !== "same-origin-ancestor") found.push({ start, duration });
  }
  observer.disconnect();
  return found;
}
