/**
 * Keeps an analysis server at hand: starts it with the first request, starts it again whenever it dies, and tells when
 * it is back, so that open views can ask again. How a server is launched is a port, so that this is tested without one.
 *
 * vscode-languageclient's own restarts are not used: they end after four in three minutes, and a server that dies
 * while it starts leaves that client in a state it never leaves.
 */
import { l10n } from "vscode";
import { PruneScopeError } from "../../../server/protocol/errors.js";
import { jobMethod, type JobName, type Jobs } from "../../../server/protocol/requests.js";
import { Cancelled, refuseIfAborted, requestError, ServerLost } from "./request-error.js";
import { restartDelay } from "./restart-delay.js";

/** Whatever runs the jobs of the protocol. */
export interface JobRunner {
  /** Asks for a job. @throws PruneScopeError, of class ServerLost when the server died meanwhile. */
  request<J extends JobName>(job: J, params: Jobs[J]["params"], signal: AbortSignal): Promise<Jobs[J]["result"]>;
}

/** A connection to a server that runs. */
export interface ServerConnection {
  request(method: string, params: unknown, signal: AbortSignal): Promise<unknown>;
  notify(method: string, params: unknown): void;
  stop(): Promise<void>;
}

/** What supervision needs from outside. */
export interface SupervisionPorts {
  /** Starts a server. `onClosed` is called when it goes away, asked or not. */
  launch(onClosed: () => void): Promise<ServerConnection>;
  wait(milliseconds: number): Promise<void>;
  now(): number;
  log(message: string): void;
  /** A server runs again after the one before it went away. */
  onBack(): void;
}

// A server that does not answer is given this long to stop before the next one is started.
const patience = 5000;

export class SupervisedServer implements JobRunner {
  #current: Promise<ServerConnection> | null = null;
  // Counts servers; what an earlier one still says is not listened to.
  #generation = 0;
  #deaths: number[] = [];
  #disposed = false;

  constructor(private readonly ports: SupervisionPorts) {}

  async request<J extends JobName>(job: J, params: Jobs[J]["params"], signal: AbortSignal): Promise<Jobs[J]["result"]> {
    refuseIfAborted(signal);
    const connection = await unlessAborted(this.#connect(), signal);
    const generation = this.#generation;
    try {
      return (await connection.request(jobMethod(job), params, signal)) as Jobs[J]["result"];
    } catch (error) {
      if (signal.aborted) throw new Cancelled();
      throw generation === this.#generation ? requestError(error) : new ServerLost();
    }
  }

  /** Tells a running server something; one that is not running has nothing to be told. */
  notify(method: string, params: unknown): void {
    this.#current?.then(
      (connection) => {
        connection.notify(method, params);
      },
      () => undefined,
    );
  }

  /** Stops the server, if one runs, and starts another. Resolves when that one runs. */
  async restart(): Promise<void> {
    this.#deaths = [];
    const stopped = this.#stop();
    this.#current = stopped.then(() => this.#launch());
    await this.#current;
    this.ports.onBack();
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#stop();
  }

  #connect(): Promise<ServerConnection> {
    this.#current ??= this.#launch();
    return this.#current;
  }

  #stop(): Promise<void> {
    this.#generation++;
    const old = this.#current;
    this.#current = null;
    if (old === null) return Promise.resolve();
    const stopped = old
      .then((connection) => connection.stop())
      .catch((error: unknown) => {
        this.ports.log(`Stopping the analysis server: ${String(error)}`);
      });
    return Promise.race([stopped, this.ports.wait(patience)]);
  }

  #launch(delay = 0): Promise<ServerConnection> {
    const generation = ++this.#generation;
    const launched = (async () => {
      if (delay > 0) await this.ports.wait(delay);
      if (this.#disposed || generation !== this.#generation) throw new ServerLost();
      try {
        return await this.ports.launch(() => {
          this.#lost(generation);
        });
      } catch (error) {
        this.ports.log(`Starting the analysis server failed: ${String(error)}`);
        this.#lost(generation);
        throw new PruneScopeError(
          "engine-crash",
          l10n.t("The analysis server could not be started; the PruneScope log says why."),
        );
      }
    })();
    // Whoever waits for it is told; when nobody does, the rejection is no surprise.
    launched.catch(() => undefined);
    return launched;
  }

  #lost(generation: number): void {
    if (this.#disposed || generation !== this.#generation) return;
    const now = this.ports.now();
    this.#deaths.push(now);
    const delay = restartDelay(this.#deaths, now);
    this.ports.log(`The analysis server stopped; the next one starts in ${delay / 1000} s.`);
    this.#current = this.#launch(delay);
    this.#current.then(
      () => {
        this.ports.onBack();
      },
      () => undefined,
    );
  }
}

/** Waits for `promise`, or for the signal: then it rejects with Cancelled at once. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new Cancelled());
    };
    signal.addEventListener("abort", abort, { once: true });
    void promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
