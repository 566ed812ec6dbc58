/**
 * The JSON files that were recognised as TensorFlow.js models while they were open as text. Menus cannot look into a
 * file, so they ask for these by the context key `prunescope.tfjsFiles`.
 */
import { commands, type TextDocument, type Uri } from "vscode";
import { headLength, modelKind, type ModelKind } from "./recognise.js";

export class RecognisedFiles {
  readonly #kinds = new Map<string, { readonly uri: Uri; readonly kind: ModelKind }>();

  has(uri: Uri): boolean {
    return this.#kinds.has(uri.toString());
  }

  /** Looks at a document's beginning, and remembers what it is. @returns null for everything but a model. */
  look(document: TextDocument): ModelKind | null {
    const { uri } = document;
    const kind = isJsonFile(document) ? modelKind(headOf(document)) : null;
    const known = this.#kinds.get(uri.toString())?.kind ?? null;
    if (kind === known) return kind;
    if (kind === null) this.#kinds.delete(uri.toString());
    else this.#kinds.set(uri.toString(), { uri, kind });
    this.#tell();
    return kind;
  }

  /** The document is closed. */
  forget(uri: Uri): void {
    if (this.#kinds.delete(uri.toString())) this.#tell();
  }

  #tell(): void {
    // The window knows a file by the path of its URI on another machine, and by its local path on this one.
    const paths = [...this.#kinds.values()].flatMap(({ uri }) => [...new Set([uri.path, uri.fsPath])]);
    void commands.executeCommand("setContext", "prunescope.tfjsFiles", paths);
  }
}

/** The shards lie beside a model, so it has to be a file. */
function isJsonFile({ uri, languageId }: TextDocument): boolean {
  return uri.scheme === "file" && languageId === "json";
}

/** Its first characters, without asking for all of them: a document in one line and one in many are both cheap. */
function headOf(document: TextDocument): string {
  const lines: string[] = [];
  for (let line = 0, length = 0; line < document.lineCount && length < headLength; line++) {
    const { text } = document.lineAt(line);
    lines.push(text.slice(0, headLength));
    length += text.length + 1;
  }
  return lines.join("\n");
}
