/** Starts `dist/server.js` in a process of its own, spoken to over IPC with vscode-languageclient. */
import { Uri, workspace } from "vscode";
import {
  CancellationTokenSource,
  CloseAction,
  ErrorAction,
  LanguageClient,
  TransportKind,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";
import { methods, type InitializationOptions, type ProgressParams } from "../../../server/protocol/requests.js";
import type { PruneScope } from "../context.js";
import { serverSettings } from "../settings.js";
import { Cancelled } from "./request-error.js";
import type { ServerConnection } from "./supervised-server.js";

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

/** Resolves when the server runs. @param onClosed is called when the connection is lost. */
export async function launch(
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
