/**
 * Asks the host for exact counts once the slider rests, and tells an answer that is still wanted from one that comes
 * too late: only the newest question counts, and only for the scores that it was asked about.
 */
import type { ErrorData } from "../../../server/protocol/errors.js";
import type { Scope } from "../../../server/protocol/recipe.js";
import type { ExactSurvival } from "../../../server/protocol/report.js";
import type { ToView } from "../../../server/protocol/view.js";
import type { HostPort } from "../host/host-port.js";

type Reply = Extract<ToView, { type: "reply" }>;

export class ExactQuestions {
  private newest = 0;
  private open: { readonly id: number; readonly resultId: string } | null = null;

  constructor(private readonly host: HostPort) {}

  /** Whether an answer is awaited. */
  get pending(): boolean {
    return this.open !== null;
  }

  /** Asks; every older question is forgotten. */
  ask(resultId: string, sparsity: number, scope: Scope): void {
    const id = ++this.newest;
    this.open = { id, resultId };
    this.host.post({ type: "survival", id, sparsity, scope });
  }

  /** Forgets the open question, because the slider moves again or the scores changed. */
  forget(): void {
    this.open = null;
  }

  /** The answer or the error, when the reply is to the newest question and about its scores; else null. */
  accept(reply: Reply): ExactSurvival | { readonly error: ErrorData } | null {
    const open = this.open;
    if (open?.id !== reply.id) return null;
    this.open = null;
    if ("error" in reply) return { error: reply.error };
    return reply.result.resultId === open.resultId ? reply.result : null;
  }
}
