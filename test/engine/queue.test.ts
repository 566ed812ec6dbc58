/** Laws of the queue, on runners whose jobs end when the test says so. */
import { beforeEach, expect, test } from "vitest";
import type { JobName, Jobs } from "../../server/protocol/requests.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { cancelled, type JobRunner, type RunOptions } from "../../server/src/engine/job-runner.js";
import { JobQueue } from "../../server/src/engine/queue.js";

interface Call {
  readonly uri: string;
  readonly aborted: () => boolean;
  end(): void;
  fail(error: Error): void;
}

/** Holds every job until it is ended, and refuses a second one as the host does. */
class HeldRunner implements JobRunner {
  readonly calls: Call[] = [];
  #busy = false;

  async run<J extends JobName>(_job: J, params: Jobs[J]["params"], options?: RunOptions): Promise<Jobs[J]["result"]> {
    if (this.#busy) throw new Error("busy");
    this.#busy = true;
    try {
      return await new Promise<Jobs[J]["result"]>((resolve, reject) => {
        const signal = options?.signal;
        signal?.addEventListener("abort", () => {
          reject(cancelled());
        });
        this.calls.push({
          uri: params.uri,
          aborted: () => signal?.aborted === true,
          end: () => {
            resolve(params.uri as unknown as Jobs[J]["result"]);
          },
          fail: reject,
        });
      });
    } finally {
      this.#busy = false;
    }
  }

  get order(): string[] {
    return this.calls.map(({ uri }) => uri);
  }
}

let heavy: HeldRunner;
let light: HeldRunner;
let queue: JobQueue;

beforeEach(() => {
  heavy = new HeldRunner();
  light = new HeldRunner();
  queue = new JobQueue(heavy, light);
});

/** Starts a job of a model. @returns how it ended, when it did. */
function start(job: "analyze" | "survival", uri: string, options?: RunOptions): { outcome: string | null } {
  const state: { outcome: string | null } = { outcome: null };
  queue.run(job, { uri, path: `/${uri}`, recipe: defaultRecipe }, options).then(
    () => (state.outcome = "done"),
    (error: unknown) => (state.outcome = (error as { code?: string }).code ?? "failed"),
  );
  return state;
}

/** Lets everything run that has nothing to wait for. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("heavy jobs run one at a time, in the order in which they came, whatever becomes of each", async () => {
  const states = ["a", "b", "c"].map((uri) => start("analyze", uri));
  expect(heavy.order).toEqual(["a"]);
  heavy.calls[0]!.end();
  await settle();
  expect(heavy.order).toEqual(["a", "b"]);
  heavy.calls[1]!.fail(new Error("no"));
  await settle();
  expect(heavy.order).toEqual(["a", "b", "c"]);
  heavy.calls[2]!.end();
  await settle();
  expect(states.map(({ outcome }) => outcome)).toEqual(["done", "failed", "done"]);
});

test("a job that has to wait says so", async () => {
  const stages: string[] = [];
  const onProgress: RunOptions["onProgress"] = ({ stage }) => stages.push(stage);
  start("analyze", "a", { onProgress });
  expect(stages).toEqual([]);
  start("analyze", "b", { onProgress });
  await settle();
  expect(stages).toEqual(["Waiting for other work"]);
});

test("closing a model cancels its running and its waiting jobs, and no other's", async () => {
  const [a, b, a2, c] = ["a", "b", "a", "c"].map((uri) => start("analyze", uri));
  const survivalOfB = start("survival", "b");
  queue.cancelModel("a");
  await settle();
  expect([a, a2].map((state) => state!.outcome)).toEqual(["cancelled", "cancelled"]);
  expect(heavy.order).toEqual(["a", "b"]);
  expect(heavy.calls[1]!.aborted()).toBe(false);
  heavy.calls[1]!.end();
  light.calls[0]!.end();
  await settle();
  heavy.calls[2]!.end();
  await settle();
  expect([b, c, survivalOfB].map((state) => state!.outcome)).toEqual(["done", "done", "done"]);
});

test("one job is cancelled by its signal: waiting, it never starts; running, it is stopped", async () => {
  const running = new AbortController();
  const waiting = new AbortController();
  const first = start("analyze", "a", { signal: running.signal });
  const second = start("analyze", "a", { signal: waiting.signal });
  const third = start("analyze", "a");
  waiting.abort();
  await settle();
  expect([first.outcome, second.outcome]).toEqual([null, "cancelled"]);
  running.abort();
  await settle();
  expect([first.outcome, third.outcome]).toEqual(["cancelled", null]);
  expect(heavy.calls).toHaveLength(2);
  const late = start("analyze", "a", { signal: AbortSignal.abort() });
  await settle();
  expect(late.outcome).toBe("cancelled");
  heavy.calls[1]!.end();
  await settle();
  expect(third.outcome).toBe("done");
  expect(heavy.calls).toHaveLength(2);
});

test("survival is answered while a heavy job runs", async () => {
  const busy = start("analyze", "a");
  const exact = start("survival", "b");
  light.calls[0]!.end();
  await settle();
  expect([busy.outcome, exact.outcome]).toEqual([null, "done"]);
});

test("a newer survival of a model replaces the waiting one; the running one and other models' go on", async () => {
  const states = ["a", "a", "b", "a", "a"].map((uri) => start("survival", uri));
  await settle();
  expect(states.map(({ outcome }) => outcome)).toEqual([null, "cancelled", null, "cancelled", null]);
  for (let i = 0; i < 3; i++) {
    light.calls[i]!.end();
    await settle();
  }
  expect(light.order).toEqual(["a", "b", "a"]);
  expect(states.map(({ outcome }) => outcome)).toEqual(["done", "cancelled", "done", "cancelled", "done"]);
});

test("random histories: every job is settled once, and each lane holds one job", async () => {
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const states: { outcome: string | null }[] = [];
  let ended = 0;
  for (let step = 0; step < 2000; step++) {
    const uri = "abc"[random(3)]!;
    const action = random(10);
    if (action < 4) states.push(start("analyze", uri));
    else if (action < 5) states.push(start("survival", uri));
    else if (action < 6) queue.cancelModel(uri);
    else for (const { calls } of [heavy, light]) calls.at(-1)?.end();
    if (random(2) === 0) await settle();
  }
  while (states.some(({ outcome }) => outcome === null)) {
    for (const { calls } of [heavy, light]) calls.at(-1)?.end();
    await settle();
    expect(ended++).toBeLessThan(2000);
  }
  // `failed` would be a second job while one runs.
  expect(new Set(states.map(({ outcome }) => outcome))).toEqual(new Set(["done", "cancelled"]));
});
