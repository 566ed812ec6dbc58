/**
 * Nobody as host: a saved HTML report that holds its whole state as JSON in the page.
 */
import type { ViewState } from "../../../server/protocol/view.js";
import type { HostPort } from "./host-port.js";

/** Id of the script element with the state; the report's writer uses the same. */
export const stateElementId = "prunescope-state";

/** Reads the state out of the page. @returns null when the page holds none. */
export function readEmbeddedState(document: Document): ViewState | null {
  const text = document.getElementById(stateElementId)?.textContent;
  if (text === undefined || text.trim() === "") return null;
  const state = JSON.parse(text) as ViewState;
  return { ...state, mode: "report" };
}

/** A port that delivers `state` once and swallows what the view says. */
export function staticHost(state: ViewState): HostPort {
  return {
    live: false,
    post: () => undefined,
    listen: (receiver) => {
      receiver({ type: "state", state });
    },
    recall: () => null,
    remember: () => undefined,
  };
}
