/**
 * Wires an LSP connection to the server's port: a request for every job, the notifications of the protocol, progress,
 * cancellation and errors. What comes in is validated here, and nothing is decided here.
 */
import { ParameterStructures, RequestType, type CancellationToken, type Connection } from "vscode-languageserver/node";
import { PruneScopeError, type ErrorData } from "../../protocol/errors.js";
import {
  jobMethod,
  jobNames,
  methods,
  type InitializationOptions,
  type JobName,
  type Jobs,
  type ProgressParams,
} from "../../protocol/requests.js";
import {
  parseCloseParams,
  parseInitializationOptions,
  parseJobParams,
  parseServerSettings,
} from "../../protocol/validate.js";
import type { ServerPort } from "./port.js";
import { toResponseError } from "./response-error.js";

/** Serves `connection`. @param start makes the port when the client has sent its options. */
export function serve(connection: Connection, start: (options: InitializationOptions) => ServerPort): void {
  let port: ServerPort | null = null;

  connection.onInitialize(({ initializationOptions }) => {
    try {
      port = start(parseInitializationOptions(initializationOptions));
    } catch (error) {
      throw toResponseError(error);
    }
    return { capabilities: {}, serverInfo: { name: "PruneScope" } };
  });
  connection.onShutdown(() => {
    port?.dispose();
    port = null;
  });

  for (const job of jobNames) answer(job);
  notified(methods.close, parseCloseParams, (active, { uri }) => {
    active.closeModel(uri);
  });
  notified(methods.configure, parseServerSettings, (active, settings) => {
    active.configure(settings);
  });
  connection.listen();

  function answer(job: JobName): void {
    const type = new RequestType<unknown, Jobs[JobName]["result"], ErrorData>(
      jobMethod(job),
      ParameterStructures.byName,
    );
    connection.onRequest(type, async (input, token) => {
      try {
        if (port === null) throw new PruneScopeError("bad-request", "The server is not initialized, or shuts down.");
        const params = parseJobParams(job, input);
        const { uri } = params;
        return await port.run(job, params, {
          signal: abortSignal(token),
          onProgress: (progress) => {
            const message: ProgressParams = { uri, job, ...progress };
            void connection.sendNotification(methods.progress, message);
          },
        });
      } catch (error) {
        throw toResponseError(error);
      }
    });
  }

  function notified<P>(method: string, parse: (input: unknown) => P, act: (port: ServerPort, params: P) => void): void {
    connection.onNotification(method, (input: unknown) => {
      try {
        const params = parse(input);
        if (port !== null) act(port, params);
      } catch (error) {
        connection.console.error(`${method}: ${toResponseError(error).message}`);
      }
    });
  }
}

function abortSignal(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  token.onCancellationRequested(() => {
    controller.abort();
  });
  if (token.isCancellationRequested) controller.abort();
  return controller.signal;
}
