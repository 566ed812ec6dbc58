/**
 * The port through which a page talks to whoever hosts it. Two hosts exist: the extension (a webview) and nobody (a
 * saved HTML report).
 */
import type { FromView, ToView } from "../../../server/protocol/view.js";

/** @typeParam To what the host says; @typeParam From what the page says: those of the results view, or others. */
export interface HostPort<To = ToView, From = FromView> {
  /** Whether somebody answers: only then can the view save, exclude, or ask for exact counts. */
  readonly live: boolean;
  post(message: From): void;
  /** Hands every message of the host to `receiver`. Called once. */
  listen(receiver: (message: To) => void): void;
  /** What {@link remember} was given last, also after the tab was hidden; anything else when there is nothing. */
  recall(): unknown;
  remember(choices: unknown): void;
}
