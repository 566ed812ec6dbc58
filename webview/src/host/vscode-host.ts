/**
 * The extension as host: messages over the webview's channel, choices in the webview's own persisted state.
 */
import type { ToView } from "../../../server/protocol/view.js";
import type { HostPort } from "./host-port.js";

/** What VS Code offers inside a webview; it can be acquired once. */
export interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

const kinds: readonly unknown[] = ["state", "activity", "reveal", "reply"] satisfies readonly ToView["type"][];

/** Wraps the webview's api and the window that its messages arrive in. */
export function vscodeHost(api: WebviewApi, window: Window): HostPort {
  return {
    live: true,
    post: (message) => {
      api.postMessage(message);
    },
    listen: (receiver) => {
      window.addEventListener("message", (event: MessageEvent<unknown>) => {
        if (isToView(event.data)) receiver(event.data);
      });
    },
    recall: () => api.getState(),
    remember: (choices) => {
      api.setState(choices);
    },
  };
}

/** Other scripts of the host page post messages too; ours carry a known type. Their fields are the host's own. */
function isToView(data: unknown): data is ToView {
  return typeof data === "object" && data !== null && "type" in data && kinds.includes(data.type);
}
