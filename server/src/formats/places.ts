/**
 * Where the files of a saved model go: the model to its target, its data (external data of ONNX, shards of TensorFlow.js)
 * beside it under its own names. Nothing is overwritten but what the person named, and nothing is written outside the
 * target's folder.
 */
import { existsSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import { identityOf } from "./file-identity.js";
import { isInside } from "./inside.js";
import { Source } from "./source.js";

export interface PlaceOptions {
  /** Absolute. */
  readonly target: string;
  readonly replaceOriginal: boolean;
  /** Files of the person's model, its main file first. */
  readonly originals: readonly string[];
  /** Opens the data of a model whose main file is open, as the format's reader does; throws where it is no such model. */
  readonly openData: (source: Source) => void;
}

/**
 * The place of each file of `source`, the main file first.
 * @throws PruneScopeError `unsafe-path` where a place is not to be written to, with the reason and what to do.
 */
export function placesOf(source: Source, options: PlaceOptions): Map<string, string> {
  const { target, replaceOriginal, originals, openData } = options;
  const from = dirname(source.main);
  const home = dirname(target);
  const places = new Map<string, string>();
  for (const path of source.paths) places.set(path, path === source.main ? target : join(home, relative(from, path)));
  const own = new Set([...originals, ...source.paths].map(identityOf));
  const older = dataOf(target, openData);
  for (const [path, place] of places) {
    const identity = identityOf(place);
    const original = identity !== null && own.has(identity);
    const data = path !== source.main;
    if (data) refuseOutside(home, place);
    if (!original) {
      refuseLink(place);
      // Data beside an older save of the same name is overwritten together with it; other data may be anyone's.
      if (identity !== null && data && !older.has(identity))
        refuse(
          place,
          `${place} is there already and may be another model's data. Choose another folder, or remove it.`,
        );
    } else if (data) {
      if (!replaceOriginal)
        refuse(
          place,
          `The model keeps weights in ${basename(place)}, which the pruned model beside it would overwrite. Choose another folder.`,
        );
    } else {
      if (!replaceOriginal || identity !== identityOf(originals[0]!))
        refuse(place, `${place} is the original model. Choose another name, or confirm that it is to be replaced.`);
      const real = realpathSync(place);
      if (places.size > 1 && dirname(real) !== realpathSync(home))
        refuse(place, `${place} is a link to ${real}, which keeps weights in other files. Open that file itself.`);
      places.set(path, real);
    }
  }
  const taken = [...places.values()].slice(1).find((place) => place === target);
  if (taken !== undefined) refuse(taken, `${taken} is where the model's own data goes. Choose another name.`);
  return places;
}

/**
 * Refuses to write one file, which holds all of a model, where one of the person's own lies.
 * @param originals files of the model that it is made of.
 * @throws PruneScopeError `unsafe-path`.
 */
export function refuseOriginals(target: string, originals: readonly string[]): void {
  const identity = identityOf(target);
  if (identity !== null && originals.some((path) => identityOf(path) === identity))
    refuse(target, `${target} belongs to the original model. Choose another name.`);
  refuseLink(target);
}

function refuse(place: string, message: string): never {
  throw new PruneScopeError("unsafe-path", message, { file: place });
}

/** A rename would put a file in the link's place, and what it leads to was not named. */
function refuseLink(place: string): void {
  let end: string;
  try {
    end = readlinkSync(place);
  } catch {
    return;
  }
  refuse(place, `${place} is a link to ${end}. Save to that file itself, or choose another name.`);
}

/** A folder for data may be a link that was there before. */
function refuseOutside(home: string, place: string): void {
  let folder = dirname(place);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  if (existsSync(home) && !isInside(realpathSync(home), realpathSync(folder)))
    refuse(place, `${folder} is a link out of ${home}, where the model's data would go. Choose another folder.`);
}

/** Identities of the data of the model at `path`; none where there is no model. */
function dataOf(path: string, openData: PlaceOptions["openData"]): ReadonlySet<string | null> {
  let source: Source | null = null;
  try {
    source = new Source(path);
    openData(source);
    return new Set(source.paths.slice(1).map(identityOf));
  } catch {
    return new Set();
  } finally {
    source?.close();
  }
}
