/**
 * The analysis server as the extension sees it: `dist/server.js` in a process of its own, spoken to over IPC with
 * vscode-languageclient. Starting it, starting it again and waiting for it is `server/supervised-server.ts`; this file
 * is the part that knows the language client.
 */
import { EventEmitter, Uri, workspace, type Event } from "vscode";
import {
  CancellationTokenSource,
  CloseAction,
  ErrorAction,
  LanguageClient,
  TransportKind,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";
import type { JobName, Jobs, ProgressParams } from "../../server/protocol/requests.js";
import { methods, type CloseParams, type InitializationOptions } from "../../server/protocol/requests.js";
import type { PruneScope } from "./context.js";
import { Cancelled } from "./server/request-error.js";
import { SupervisedServer, type JobRunner, type ServerConnection } from "./server/supervised-server.js";
import { traceChannel } from "./server/trace-channel.js";
import { serverSettings } from "./settings.js";

/** The analysis server: jobs, and what it tells by itself. */
export class AnalysisServer implements JobRunner {
  readonly #progress = new EventEmitter<ProgressParams>();
  readonly #back = new EventEmitter<void>();
  readonly #server: SupervisedServer;

  /** What a job is doing, for every model. */
  readonly onProgress: Event<ProgressParams> = this.#progress.event;
  /** The server runs again after it had died or was restarted; it knows nothing of what was asked before. */
  readonly onBack: Event<void> = this.#back.event;

  constructor(context: PruneScope) {
    const trace = traceChannel(context);
    this.#server = new SupervisedServer({
      launch: (onClosed) =>
        launch(
          context,
          trace,
          (progress) => {
            this.#progress.fire(progress);
          },
          onClosed,
        ),
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
      now: () => Date.now(),
      log: (message) => {
        context.log.warn(message);
      },
      onBack: () => {
        this.#back.fire();
      },
    });
    context.own(
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("prunescope.engine") || event.affectsConfiguration("prunescope.cache")) {
          this.#server.notify(methods.configure, serverSettings());
        }
      }),
    );
  }

  request<J extends JobName>(job: J, params: Jobs[J]["params"], signal: AbortSignal): Promise<Jobs[J]["result"]> {
    return this.#server.request(job, params, signal);
  }

  /** Tells the server that nobody looks at a model any more, so that it stops that model's work. */
  close(uri: Uri): void {
    this.#server.notify(methods.close, { uri: uri.toString() } satisfies CloseParams);
  }

  /** Stops the server and starts another. */
  restart(): Promise<void> {
    return this.#server.restart();
  }

  async dispose(): Promise<void> {
    await this.#server.dispose();
    this.#progress.dispose();
    this.#back.dispose();
  }
}

/** A language client that logs what goes wrong and never shows it by itself: the views and commands do that in words. */
class QuietLanguageClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }
  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}

async function launch(
  context: PruneScope,
  trace: LanguageClientOptions["traceOutputChannel"],
  onProgress: (progress: ProgressParams) => void,
  onClosed: () => void,
): Promise<ServerConnection> {
  const { extensionUri, globalStorageUri } = context.extension;
  await workspace.fs.createDirectory(globalStorageUri);
  const module = Uri.joinPath(extensionUri, "dist", "server.js").fsPath;
  const server = {
    module,
    transport: TransportKind.ipc,
    // An --inspect or a heap size that is meant for the extension host is not meant for the server.
    options: { cwd: Uri.joinPath(extensionUri, "dist").fsPath, env: { NODE_OPTIONS: undefined } },
  };
  const serverOptions: ServerOptions = { run: server, debug: server };
  const client = new QuietLanguageClient("prunescope", "PruneScope", serverOptions, {
    outputChannel: context.log,
    ...(trace === undefined ? {} : { traceOutputChannel: trace }),
    initializationOptions: (): InitializationOptions => ({
      ...serverSettings(),
      storage: globalStorageUri.fsPath,
    }),
    initializationFailedHandler: () => false,
    errorHandler: {
      error: (_error, _message, count) => {
        if (count !== undefined && count <= 3) return { action: ErrorAction.Continue, handled: true };
        // The client stops and does not say so by `closed`.
        onClosed();
        return { action: ErrorAction.Shutdown, handled: true };
      },
      closed: () => {
        onClosed();
        return {
          action: CloseAction.DoNotRestart,
          message: "The connection to the analysis server was closed.",
          handled: true,
        };
      },
    },
  });
  client.onNotification(methods.progress, onProgress);
  await client.start();
  context.log.info(`The analysis server runs as process ${client.serverProcess?.pid ?? "?"}.`);
  return {
    request: async (method, params, signal) => {
      if (signal.aborted) throw new Cancelled();
      const cancellation = new CancellationTokenSource();
      const abort = (): void => {
        cancellation.cancel();
      };
      signal.addEventListener("abort", abort, { once: true });
      try {
        return await client.sendRequest<unknown>(method, params, cancellation.token);
      } finally {
        signal.removeEventListener("abort", abort);
        cancellation.dispose();
      }
    },
    notify: (method, params) => {
      client.sendNotification(method, params).catch((error: unknown) => {
        context.log.warn(`${method}: ${String(error)}`);
      });
    },
    stop: () => client.stop(),
  };
}
