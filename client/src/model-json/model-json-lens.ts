/**
 * **The lens above a TensorFlow.js model's JSON**
 *
 * What it does: says what a `model.json` is and leads to the model editor; the file stays text.
 * What gates it: the beginning of a JSON file, by `recognise.ts`; the counts are read when the lens is seen.
 * What the user sees: a line above the file. Any other JSON file is left in peace.
 */
import {
  CodeLens,
  EventEmitter,
  l10n,
  languages,
  Position,
  Range,
  workspace,
  type CodeLensProvider,
  type TextDocument,
  type Uri,
} from "vscode";
import type { CommandId, PruneScope } from "../context.js";
import type { ModelKind } from "./recognise.js";
import { weightCounts, type WeightCounts } from "./weight-counts.js";

/** Most characters of a document whose weights are counted; beyond, the lens says the kind alone. */
const longest = 16_000_000;

/** The lens that says what the model is. */
class SummaryLens extends CodeLens {
  constructor(
    range: Range,
    readonly document: TextDocument,
    readonly kind: ModelKind,
  ) {
    super(range);
  }
}

/** Registers the lens, and recognises what is open. */
export function activate(context: PruneScope): void {
  const { recognised } = context;
  const changed = new EventEmitter<void>();
  const counted = new WeakMap<TextDocument, WeightCounts | null>();
  /** What the file on disk says, which is what is opened: nothing is counted while somebody types. */
  const countsIn = (document: TextDocument): WeightCounts | null => {
    if (!document.isDirty && !counted.has(document)) {
      const length = document.offsetAt(new Position(document.lineCount, 0));
      counted.set(document, length <= longest ? weightCounts(document.getText()) : null);
    }
    return counted.get(document) ?? null;
  };
  const provider: CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: (document) => {
      const kind = recognised.look(document);
      if (kind === null) return [];
      const top = new Range(0, 0, 0, 0);
      return [
        new SummaryLens(top, document, kind),
        action(top, l10n.t("Open in PruneScope"), "prunescope.open", document.uri),
        action(top, l10n.t("Analyze…"), "prunescope.analyze", document.uri),
      ];
    },
    resolveCodeLens: (lens) => {
      if (lens instanceof SummaryLens) {
        lens.command = { title: summary(lens.kind, countsIn(lens.document)), command: "" };
      }
      return lens;
    },
  };
  context.own(
    changed,
    languages.registerCodeLensProvider({ scheme: "file", language: "json" }, provider),
    workspace.onDidOpenTextDocument((document) => recognised.look(document)),
    workspace.onDidChangeTextDocument(({ document }) => {
      // Read again from disk; what is typed counts when it is saved.
      if (!document.isDirty) counted.delete(document);
    }),
    workspace.onDidSaveTextDocument((document) => {
      counted.delete(document);
      recognised.look(document);
      changed.fire();
    }),
    workspace.onDidCloseTextDocument(({ uri }) => {
      recognised.forget(uri);
    }),
  );
  for (const document of workspace.textDocuments) recognised.look(document);
}

function action(range: Range, title: string, command: CommandId, uri: Uri): CodeLens {
  return new CodeLens(range, { title, command, arguments: [uri] });
}

/** `PruneScope: layers model, 105 weights, 2,257,984 parameters, uint8`. */
function summary(kind: ModelKind, counts: WeightCounts | null): string {
  const name = kind === "layers" ? l10n.t("PruneScope: layers model") : l10n.t("PruneScope: graph model");
  if (counts === null) return name;
  return [
    name,
    l10n.t("{0} weights", counts.weights.toLocaleString("en")),
    l10n.t("{0} parameters", counts.parameters.toLocaleString("en")),
    ...counts.quantised,
  ].join(", ");
}
