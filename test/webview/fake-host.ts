/**
 * A host and a clock that do nothing by themselves: tests send messages and let time pass.
 */
import type { FromView, ToView } from "../../server/protocol/view.js";
import type { HostPort } from "../../webview/src/host/host-port.js";
import type { Clock } from "../../webview/src/state/clock.js";
import { ViewStore } from "../../webview/src/state/store.js";

export class FakeHost implements HostPort {
  readonly posted: FromView[] = [];
  remembered: unknown;
  private receiver: (message: ToView) => void = () => undefined;

  constructor(
    readonly live = true,
    persisted: unknown = null,
  ) {
    this.remembered = persisted;
  }

  post(message: FromView): void {
    this.posted.push(message);
  }

  listen(receiver: (message: ToView) => void): void {
    this.receiver = receiver;
  }

  recall(): unknown {
    return this.remembered;
  }

  remember(choices: unknown): void {
    // What VS Code keeps is a copy.
    this.remembered = JSON.parse(JSON.stringify(choices)) as unknown;
  }

  send(message: ToView): void {
    this.receiver(message);
  }

  /** Messages of one kind, in order. */
  of<T extends FromView["type"]>(type: T): Extract<FromView, { type: T }>[] {
    return this.posted.filter((message): message is Extract<FromView, { type: T }> => message.type === type);
  }
}

export class FakeClock implements Clock {
  private now = 0;
  private frames: (() => void)[] = [];
  private readonly timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  frame(callback: () => void): void {
    this.frames.push(callback);
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.now + milliseconds, callback };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  }

  /** Draws the next frame. */
  draw(): void {
    const due = this.frames;
    this.frames = [];
    for (const callback of due) callback();
  }

  /** Lets time pass and draws what is due. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const timer of [...this.timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.now || !this.timers.delete(timer)) continue;
      timer.callback();
    }
    this.draw();
  }
}

export interface StartedStore {
  readonly host: FakeHost;
  readonly clock: FakeClock;
  readonly store: ViewStore;
}

/** A store that listens to a fake host. */
export function startStore(live = true, persisted: unknown = null): StartedStore {
  const host = new FakeHost(live, persisted);
  const clock = new FakeClock();
  const store = new ViewStore(host, clock);
  store.start();
  return { host, clock, store };
}
