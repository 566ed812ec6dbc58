// The server is started when it is needed, started again when it dies, and whoever waited is told what happened.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { Cancelled, ServerLost } from "../../client/src/server/request-error.js";
import { forgetAfter, restartDelay } from "../../client/src/server/restart-delay.js";
import { SupervisedServer, type ServerConnection } from "../../client/src/server/supervised-server.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

const params = { uri: "file:///m.onnx", path: "/m.onnx", dynamicAxes: {} };
const never = new AbortController().signal;

/** A server that answers `open` with its number, or never, and can be killed. */
class FakeServer implements ServerConnection {
  stopped = false;
  readonly told: string[] = [];
  #reject: ((error: Error) => void) | null = null;

  constructor(
    readonly number: number,
    private readonly silent: boolean,
    private readonly onClosed: () => void,
  ) {}

  request(): Promise<unknown> {
    if (!this.silent) return Promise.resolve(this.number);
    return new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
  }
  notify(method: string): void {
    this.told.push(method);
  }
  stop(): Promise<void> {
    this.stopped = true;
    this.kill();
    return Promise.resolve();
  }
  kill(): void {
    // As vscode-languageclient does it: what is pending is rejected, then the close is told.
    this.#reject?.(new Error("Pending response rejected since connection got disposed"));
    this.onClosed();
  }
}

let servers: FakeServer[];
let waits: number[];
let backs: number;
let silent: boolean;
let failures: number;
let supervised: SupervisedServer;

beforeEach(() => {
  [servers, waits, backs, silent, failures] = [[], [], 0, false, 0];
  supervised = new SupervisedServer({
    launch: (onClosed) => {
      if (failures-- > 0) return Promise.reject(new Error("no such file"));
      const server = new FakeServer(servers.length + 1, silent, onClosed);
      servers.push(server);
      return Promise.resolve(server);
    },
    wait: (milliseconds) => {
      waits.push(milliseconds);
      // What only limits patience does not end by itself here.
      return milliseconds === 5000 ? new Promise(() => undefined) : Promise.resolve();
    },
    now: () => 0,
    log: () => undefined,
    onBack: () => backs++,
  });
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("the supervised server", () => {
  it("starts with the first request, once", async () => {
    expect(servers).toHaveLength(0);
    const answers = await Promise.all([1, 2].map(() => supervised.request("open", params, never)));
    expect(answers).toEqual([1, 1]);
    expect(servers).toHaveLength(1);
    expect(backs).toBe(0);
  });

  it("comes back after it died, and whoever waited learns that it was lost", async () => {
    silent = true;
    const pending = supervised.request("open", params, never);
    const outcome = expect(pending).rejects.toBeInstanceOf(ServerLost);
    await settle();
    silent = false;
    servers[0]?.kill();
    await outcome;
    await settle();
    expect(servers).toHaveLength(2);
    expect(backs).toBe(1);
    expect(await supervised.request("open", params, never)).toBe(2);
  });

  it("comes back as often as it dies, later and later", async () => {
    for (let death = 0; death < 12; death++) {
      await supervised.request("open", params, never);
      servers.at(-1)?.kill();
      await settle();
    }
    expect(await supervised.request("open", params, never)).toBe(13);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it("tells that it could not be started, and tries again", async () => {
    failures = 1;
    await expect(supervised.request("open", params, never)).rejects.toMatchObject({ code: "engine-crash" });
    await settle();
    expect(await supervised.request("open", params, never)).toBe(1);
    expect(backs).toBe(1);
  });

  it("is replaced on request, and does not count that as a death", async () => {
    await supervised.request("open", params, never);
    await supervised.restart();
    expect(servers.map(({ stopped }) => stopped)).toEqual([true, false]);
    expect(backs).toBe(1);
    await settle();
    expect(servers).toHaveLength(2);
  });

  it("is asked nothing that was cancelled, and a cancelled wait ends at once", async () => {
    await expect(supervised.request("open", params, AbortSignal.abort())).rejects.toBeInstanceOf(Cancelled);
    silent = true;
    const controller = new AbortController();
    const pending = supervised.request("open", params, controller.signal);
    await settle();
    controller.abort();
    servers[0]?.kill();
    await expect(pending).rejects.toBeInstanceOf(Cancelled);
  });

  it("is told nothing while it does not run, and stays away once disposed of", async () => {
    supervised.notify("prunescope/close", {});
    await settle();
    expect(servers).toHaveLength(0);
    await supervised.request("open", params, never);
    supervised.notify("prunescope/close", {});
    await settle();
    expect(servers[0]?.told).toEqual(["prunescope/close"]);
    await supervised.dispose();
    await settle();
    expect(servers).toHaveLength(1);
    expect(servers[0]?.stopped).toBe(true);
  });
});

it("waits longer the more deaths there were lately", () => {
  const delays = [1, 2, 3, 4, 8, 20].map((deaths) => restartDelay(Array<number>(deaths).fill(0), 0));
  expect(delays).toEqual([0, 0, 1000, 2000, 30_000, 30_000]);
  expect(restartDelay([...Array<number>(20).fill(0), forgetAfter + 1], forgetAfter + 1)).toBe(0);
});
