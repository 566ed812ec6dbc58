/**
 * The one object that every feature gets: the log, the analysis server, the open models, those that are open as text,
 * and what has to be disposed of when the extension goes.
 */
import { commands, l10n, window, type ExtensionContext, type LogOutputChannel } from "vscode";
import { describeError } from "../../server/protocol/errors.js";
import { AnalysisServer } from "./language-client.js";
import { OpenModels } from "./model-editor/open-models.js";
import { RecognisedFiles } from "./model-json/recognised-files.js";
import { plainText } from "./plain-text.js";
import { requestError } from "./server/request-error.js";

/** The commands that the manifest declares. */
export type CommandId =
  | "prunescope.open"
  | "prunescope.analyze"
  | "prunescope.pruneAndSave"
  | "prunescope.saveAs"
  | "prunescope.compare"
  | "prunescope.cancel"
  | "prunescope.restartServer"
  | "prunescope.showLog";

/** Something that has to be ended. */
export interface Owned {
  dispose(): unknown;
}

export class PruneScope {
  readonly log: LogOutputChannel = window.createOutputChannel("PruneScope", { log: true });
  readonly models = new OpenModels();
  readonly recognised = new RecognisedFiles();
  readonly server: AnalysisServer;
  readonly #owned: Owned[] = [];

  constructor(readonly extension: ExtensionContext) {
    this.server = new AnalysisServer(this);
  }

  /** Keeps things that are disposed of together with the extension. */
  own(...disposables: Owned[]): void {
    this.#owned.push(...disposables);
  }

  /** Registers a command; what it throws is told to the person in a sentence. */
  command(id: CommandId, run: (...args: unknown[]) => Promise<void> | void): void {
    this.own(
      commands.registerCommand(id, async (...args: unknown[]) => {
        try {
          await run(...args);
        } catch (error) {
          this.tell(error);
        }
      }),
    );
  }

  /** Shows an error as a sentence, with the details in the log. Cancelling is no error. */
  tell(error: unknown): void {
    const data = requestError(error);
    if (data.code === "cancelled") return;
    this.note(error);
    const showLog = l10n.t("Show Log");
    void window.showErrorMessage(plainText(describeError(data)), showLog).then((chosen) => {
      if (chosen === showLog) this.log.show();
    });
  }

  /** Writes an error with all that is known of it into the log. */
  note(error: unknown): void {
    const data = requestError(error);
    this.log.error(`${data.code}: ${describeError(data)}`);
    const origin = data.cause ?? error;
    if (data.code === "internal" && origin instanceof Error && origin.stack !== undefined) this.log.error(origin.stack);
  }

  /** Ends everything; resolves when the server process has been told to go. */
  async dispose(): Promise<void> {
    for (const disposable of this.#owned.reverse()) disposable.dispose();
    await this.server.dispose();
    this.log.dispose();
  }
}
