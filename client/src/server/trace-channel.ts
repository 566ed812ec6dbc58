/**
 * Makes `prunescope.trace.server` do what its name says. vscode-languageclient only traces while its channel's level
 * is *Trace*; this stands in for the channel, takes that level from the setting, and writes into the log as *Info*.
 */
import { EventEmitter, LogLevel, workspace, type LogOutputChannel } from "vscode";
import type { PruneScope } from "../context.js";
import { traceLevel } from "../settings.js";

/** The channel to give to the language client as its `traceOutputChannel`. */
export function traceChannel(context: PruneScope): LogOutputChannel {
  const changed = new EventEmitter<LogLevel>();
  const level = (): LogLevel => (traceLevel() === "off" ? LogLevel.Off : LogLevel.Trace);
  context.own(
    changed,
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("prunescope.trace.server")) changed.fire(level());
    }),
  );
  return Object.create(context.log, {
    logLevel: { get: level },
    onDidChangeLogLevel: { value: changed.event },
    trace: {
      value: (message: string) => {
        context.log.info(message);
      },
    },
  }) as LogOutputChannel;
}
