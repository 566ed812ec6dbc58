/**
 * Several files that get their names together: a model and its external data. No file system renames two files at once,
 * so what is to be renamed is first written down in a journal beside the model. Then the old model is set aside, before
 * any data, and the new one gets its name last: whatever has the model's name lies beside its own data. A save that ends
 * halfway is undone; one that is killed halfway is finished by whoever opens the model, or saves there, next.
 */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import type { AtomicFile } from "./atomic-file.js";
import { isInside } from "./inside.js";
import { renamePatiently, syncFolder } from "./rename-patiently.js";
import { abandoned, isTemporaryOf, temporaryPath } from "./temporary-names.js";
import { writeFailure } from "./write-failure.js";

/** A file of a save; paths are relative to the journal's folder. */
interface Move {
  readonly place: string;
  /** Where the new file is until it gets its name. */
  readonly temporary: string;
  /** Where the old one is from then on. */
  readonly aside: string;
  /** Of the new file: so that it is known again under its name. */
  readonly inode: string;
}

/** Largest journal that is read: some thousand files. */
const maxJournalBytes = 1 << 22;

/**
 * Makes the files durable and gives them their names, the first one's last. They are in the first one's folder or below.
 * @throws PruneScopeError `write-failed`, with everything as it was.
 */
export async function commitTogether(files: readonly AtomicFile[]): Promise<void> {
  const [main, ...data] = files;
  if (main === undefined) return;
  if (data.length === 0) {
    await main.commit();
    return;
  }
  for (const file of files) await file.finish();
  const home = dirname(main.target);
  const done: [from: string, to: string][] = [];
  const move = async (from: string, to: string): Promise<void> => {
    await renamePatiently(join(home, from), join(home, to));
    done.push([from, to]);
  };
  let journal = "";
  let moves: readonly Move[];
  try {
    moves = files.map((file) => moveOf(home, file));
    syncFolders(home, moves);
    journal = await writeJournal(main.target, moves);
    for (const { place, aside } of moves) if (isThere(join(home, place))) await move(place, aside);
    for (const { place, temporary } of [...moves].reverse()) {
      if (isThere(join(home, place))) throw new Error(`two of the model's files would both be ${place} there`);
      await move(temporary, place);
    }
  } catch (error) {
    if (await undone(home, done, journal)) throw writeFailure(main.target, error);
    for (const file of files) file.leave();
    throw writeFailure(main.target, error, "Opening the model, or saving it again, finishes or undoes it.");
  }
  for (const file of files) file.leave();
  syncFolders(home, moves);
  clear(home, moves, journal);
}

/**
 * Finishes what saves into `folder` left behind that were killed between two renames. Where a model has its name, old or
 * new, only leftovers are removed. Never fails: what cannot be finished is left as it is.
 */
export function finishInterrupted(folder: string): void {
  try {
    for (const name of abandoned(folder, "journal", true)) finish(folder, join(folder, name));
  } catch {
    // There is no such folder, or nothing may be changed in it.
  }
}

function finish(home: string, journal: string): void {
  const moves = readJournal(home, journal);
  const [main] = moves;
  if (main === undefined) return;
  if (!isThere(join(home, main.place))) {
    const complete = moves.every(
      ({ temporary, place, inode }) => inodeOf(join(home, temporary)) === inode || inodeOf(join(home, place)) === inode,
    );
    if (!complete) return;
    for (const { temporary, place } of [...moves].reverse())
      if (isThere(join(home, temporary))) renameSync(join(home, temporary), join(home, place));
    syncFolders(home, moves);
  }
  clear(home, moves, journal);
}

function moveOf(home: string, { target, temporary }: AtomicFile): Move {
  const inode = inodeOf(temporary);
  if (inode === null) throw new Error(`${temporary} is gone`);
  const near = (path: string): string => relative(home, path);
  return { place: near(target), temporary: near(temporary), aside: near(temporaryPath(target)), inode };
}

/** Takes back what was renamed. @returns whether that could be done. */
async function undone(
  home: string,
  done: readonly (readonly [from: string, to: string])[],
  journal: string,
): Promise<boolean> {
  try {
    for (const [from, to] of [...done].reverse()) await renamePatiently(join(home, to), join(home, from));
    if (journal !== "") rmSync(journal, { force: true });
    return true;
  } catch {
    return false;
  }
}

/** Removes what is of no more use. What cannot be removed has names that say whose it is. */
function clear(home: string, moves: readonly Move[], journal: string): void {
  for (const { temporary, aside } of moves) for (const name of [temporary, aside]) removeIfPossible(join(home, name));
  removeIfPossible(journal);
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Somebody has it open: another time.
  }
}

/** Writes the journal durably, whole or not at all. @returns its path. */
async function writeJournal(target: string, moves: readonly Move[]): Promise<string> {
  const journal = temporaryPath(target, "journal");
  const draft = temporaryPath(target);
  try {
    const fd = openSync(draft, "wx");
    try {
      writeFileSync(fd, JSON.stringify(moves));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    await renamePatiently(draft, journal);
  } catch (error) {
    removeIfPossible(draft);
    throw error;
  }
  syncFolder(dirname(target));
  return journal;
}

/** What the journal says, or nothing where it is not one that {@link writeJournal} may have written into `home`. */
function readJournal(home: string, journal: string): readonly Move[] {
  if (!lstatSync(journal).isFile() || statSync(journal).size > maxJournalBytes) return [];
  const moves = JSON.parse(readFileSync(journal, "utf8")) as unknown;
  const sound = Array.isArray(moves) && moves.every((move) => isMove(home, move));
  const [main] = sound ? (moves as readonly Move[]) : [];
  return main !== undefined && isTemporaryOf(journal, join(home, main.place)) ? (moves as readonly Move[]) : [];
}

function isMove(home: string, move: unknown): boolean {
  const { place, temporary, aside, inode } = (move ?? {}) as Record<string, unknown>;
  if (typeof place !== "string" || typeof temporary !== "string" || typeof aside !== "string") return false;
  const path = join(home, place);
  return (
    typeof inode === "string" &&
    isTemporaryOf(join(home, temporary), path) &&
    isTemporaryOf(join(home, aside), path) &&
    isInside(realpathSync(home), realpathSync(dirname(path)))
  );
}

function syncFolders(home: string, moves: readonly Move[]): void {
  for (const folder of new Set(moves.map(({ place }) => dirname(join(home, place))))) syncFolder(folder);
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const inodeOf = (path: string): string | null => {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? null : String(found.ino);
};
