/**
 * The document behind every view of one model file: the session, where its bytes are, and the watch on the file. VS
 * Code makes one per file and disposes of it with the last view; then the server is told to stop working on it.
 */
import { Disposable, type CustomDocument, type Uri } from "vscode";
import type { Recipe } from "../../../server/protocol/recipe.js";
import type { ToView } from "../../../server/protocol/view.js";
import type { PruneScope } from "../context.js";
import { watchFile, watchTogether, type FileWatch } from "../file-watch.js";
import { shownName } from "../../../server/protocol/model-names.js";
import { openSource, type ModelSource } from "../open-source.js";
import { modelSettings } from "../settings.js";
import { ModelSession } from "./model-session.js";

/** A view of the model, as far as the document cares. */
export interface View {
  post(message: ToView): void;
}

export class ModelDocument implements CustomDocument {
  readonly session: ModelSession;
  readonly source: ModelSource;
  readonly #watch: FileWatch;
  /** Of the files that hold the weights, when it is known which. */
  #dataWatch: FileWatch | null = null;
  #dataFiles: readonly string[] = [];
  readonly #views = new Set<View>();

  /** Starts reading the model at once. `recipe` when one was chosen beforehand. */
  constructor(
    private readonly context: PruneScope,
    readonly uri: Uri,
    recipe: Recipe | null,
  ) {
    this.source = openSource(uri);
    const title = shownName(uri.path);
    this.session = new ModelSession(
      {
        server: context.server,
        uri: uri.toString(),
        path: (fresh, signal) => this.source.path(fresh, signal),
        settings: () => modelSettings(uri),
        post: (message) => {
          if (message.type === "state") this.#watchData(message.state.model?.dataFiles ?? this.#dataFiles);
          for (const view of this.#views) view.post(message);
          context.models.worked(this);
        },
        note: (error) => {
          context.note(error);
        },
      },
      title,
      recipe ?? modelSettings(uri).recipe,
    );
    this.#watch = watchFile(uri, this.session);
    context.models.add(this);
    void this.session.load({ analyze: recipe !== null });
  }

  /** Adds a view; it is told of everything until the returned object is disposed of. */
  show(view: View): Disposable {
    this.#views.add(view);
    return new Disposable(() => this.#views.delete(view));
  }

  /** Looks whether the file has changed; for when a view is seen again. */
  look(): void {
    this.#watch.look();
    this.#dataWatch?.look();
  }

  dispose(): void {
    this.#watch.dispose();
    this.#dataWatch?.dispose();
    this.session.dispose();
    this.context.models.remove(this);
    this.context.server.close(this.uri);
    void this.source.dispose();
  }

  #watchData(paths: readonly string[]): void {
    // What is no file is read from a copy, which does not change.
    if (this.uri.scheme !== "file" || paths.join("\n") === this.#dataFiles.join("\n")) return;
    this.#dataFiles = paths;
    this.#dataWatch?.dispose();
    this.#dataWatch = paths.length === 0 ? null : watchTogether(paths, this.session);
  }
}
