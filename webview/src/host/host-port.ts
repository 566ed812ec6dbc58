/**
 * The port through which the view talks to whoever hosts it. Two hosts exist: the extension (a webview) and nobody (a
 * saved HTML report).
 */
import type { FromView, ToView } from "../../../server/protocol/view.js";

export interface HostPort {
  /** Whether somebody answers: only then can the view save, exclude, or ask for exact counts. */
  readonly live: boolean;
  post(message: FromView): void;
  /** Hands every message of the host to `receiver`. Called once. */
  listen(receiver: (message: ToView) => void): void;
  /** What {@link remember} was given last, also after the tab was hidden; anything else when there is nothing. */
  recall(): unknown;
  remember(choices: unknown): void;
}
