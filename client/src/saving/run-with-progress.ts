/** Runs a job of the server under one of VS Code's own progress indicators, with a Cancel button that works. */
import { window, type ProgressLocation } from "vscode";
import type { JobName, Jobs } from "../../../server/protocol/requests.js";
import type { PruneScope } from "../context.js";

/** The job's result. `signal` cancels as the button does. @throws PruneScopeError */
export async function runWithProgress<J extends JobName>(
  context: PruneScope,
  location: ProgressLocation,
  title: string,
  job: J,
  params: Jobs[J]["params"],
  signal?: AbortSignal,
): Promise<Jobs[J]["result"]> {
  return window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort();
    };
    let shown = 0;
    const listeners = [
      token.onCancellationRequested(abort),
      context.server.onProgress((step) => {
        if (step.uri !== params.uri || step.job !== job || step.total <= 0) return;
        const percent = Math.min(100, Math.floor((100 * step.done) / step.total));
        if (percent <= shown) return;
        progress.report({ increment: percent - shown });
        shown = percent;
      }),
    ];
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await context.server.request(job, params, controller.signal);
    } finally {
      signal?.removeEventListener("abort", abort);
      for (const listener of listeners) listener.dispose();
    }
  });
}
