// The processes that a VS Code server has started, read from /proc: the server is the leader of a session,
// and what it starts (extension hosts, language servers, engines) stays in that session unless it leaves on
// purpose, even after a parent has died. So a list by session finds orphans too, which a list by parent does not.

import { readFile, readdir } from "node:fs/promises";

/** A running process: its id, its parent's, and its command line as words. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

/** The living processes of the session that `leader` started, the leader included, and whatever descends from them. */
export async function processesOf(leader: number): Promise<RunningProcess[]> {
  const all = await everyProcess();
  const members = new Set(all.filter((each) => each.session === leader || each.pid === leader).map((each) => each.pid));
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const each of all) if (members.has(each.parent)) members.add(each.pid);
  }
  return all.filter((each) => members.has(each.pid)).map(({ pid, parent, command }) => ({ pid, parent, command }));
}

/** Waits until the session has no living process; false when some still live after `timeoutMs`. */
export async function sessionEnded(leader: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while ((await processesOf(leader)).length > 0) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

interface ProcessEntry extends RunningProcess {
  readonly session: number;
}

async function everyProcess(): Promise<ProcessEntry[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(pids.map((pid) => processEntry(Number(pid))));
  return entries.filter((entry) => entry !== undefined);
}

/** Undefined for a process that has ended, also while it waits (as a zombie) for its parent to take notice. */
async function processEntry(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ]);
    // "pid (name) state parent group session …"; the name may itself contain spaces and brackets.
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    return { pid, parent: Number(parent), session: Number(session), command: command.split("\0").filter(Boolean) };
  } catch {
    return undefined; // It ended between the listing and the reading.
  }
}
