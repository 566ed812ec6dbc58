/**
 * The extension as host: messages over the webview's channel, choices in the webview's own persisted state.
 */
import type { FromComparison, ToComparison } from "../../../server/protocol/compare.js";
import type { FromView, ToView } from "../../../server/protocol/view.js";
import type { HostPort } from "./host-port.js";

/** What VS Code offers inside a webview; it can be acquired once. */
export interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** The host of a results view. */
export const modelHost = (api: WebviewApi, window: Window): HostPort =>
  vscodeHost<ToView, FromView>(api, window, ["state", "activity", "reveal", "reply"]);

/** The host of a comparison. */
export const comparisonHost = (api: WebviewApi, window: Window): HostPort<ToComparison, FromComparison> =>
  vscodeHost<ToComparison, FromComparison>(api, window, ["comparison", "activity"]);

/** Wraps the webview's api and the window that its messages, of the given kinds, arrive in. */
function vscodeHost<To extends { readonly type: string }, From>(
  api: WebviewApi,
  window: Window,
  kinds: readonly To["type"][],
): HostPort<To, From> {
  return {
    live: true,
    post: (message) => {
      api.postMessage(message);
    },
    listen: (receiver) => {
      window.addEventListener("message", (event: MessageEvent<unknown>) => {
        if (isOneOf(event.data, kinds)) receiver(event.data);
      });
    },
    recall: () => api.getState(),
    remember: (choices) => {
      api.setState(choices);
    },
  };
}

/** Other scripts of the host page post messages too; ours carry a known type. Their fields are the host's own. */
function isOneOf<To extends { readonly type: string }>(data: unknown, kinds: readonly To["type"][]): data is To {
  const known: readonly unknown[] = kinds;
  return typeof data === "object" && data !== null && "type" in data && known.includes(data.type);
}
