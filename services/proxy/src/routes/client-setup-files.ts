import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** Stands in the files where this proxy's own address goes. */
const MARKER = '{{PROXY_URL}}';

const MAX_FILE_BYTES = 1_048_576;

/** Plain names only: no hidden files, no `..`, no empty segments, nothing that needs decoding. */
const SAFE_PATH = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;

/**
 * How an address is written inside a file of this kind. The address comes from the Host header and is validated;
 * this is the second lock on the same door.
 */
const KINDS: Readonly<Record<string, { readonly type: string; readonly escape: (url: string) => string }>> = {
  css: { type: 'text/css; charset=utf-8', escape: () => '' },
  html: {
    type: 'text/html; charset=utf-8',
    escape: (url) => url.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`),
  },
  json: { type: 'application/json; charset=utf-8', escape: (url) => JSON.stringify(url).slice(1, -1) },
  md: { type: 'text/markdown; charset=utf-8', escape: (url) => encodeURI(url) },
  // Inside single quotes, where only the quote itself means anything.
  ps1: { type: 'text/plain; charset=utf-8', escape: (url) => url.replaceAll("'", "''") },
  sh: { type: 'text/plain; charset=utf-8', escape: (url) => url.replaceAll("'", String.raw`'\''`) },
  txt: { type: 'text/plain; charset=utf-8', escape: (url) => url },
};

export interface ClientSetupFile {
  readonly type: string;
  readonly text: string;
}

/**
 * One file of the folder with the proxy's address filled in.
 *
 * @param path below the folder, as the framework decoded it
 * @returns undefined for whatever is not a plain file inside the folder
 */
export async function readClientSetupFile(
  folder: string,
  path: string,
  proxyUrl: string,
): Promise<ClientSetupFile | undefined> {
  const kind = KINDS[path.slice(path.lastIndexOf('.') + 1)];
  if (kind === undefined || path.length > 200 || !SAFE_PATH.test(path)) return undefined;
  const text = await readInside(folder, path);
  return text === undefined
    ? undefined
    : { type: kind.type, text: text.replaceAll(MARKER, () => kind.escape(proxyUrl)) };
}

async function readInside(folder: string, path: string): Promise<string | undefined> {
  try {
    const root = await realpath(folder);
    const target = await realpath(join(root, path));
    // A link may lead to another file of the folder (a mounted ConfigMap is made of such links), never out of it.
    if (!target.startsWith(root + sep)) return undefined;
    const handle = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      return stats.isFile() && stats.size <= MAX_FILE_BYTES ? await handle.readFile('utf8') : undefined;
    } finally {
      await handle.close();
    }
  } catch {
    // Missing, unreadable or swapped in between: nothing is there, as far as a client is concerned.
    return undefined;
  }
}
