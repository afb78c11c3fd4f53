import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { clientKeysOf, CredentialFileError, parseCredentialFile } from '@claude-nexus/runtime';
import type { ApiKeyCredential, CredentialFile } from '@claude-nexus/runtime';

import { ClientKeys } from '../auth/client-keys.ts';
import type { DomainCredential } from './domain-credential.ts';
import { parseHost } from '../host.ts';

export const FILE_SUFFIX = '.credentials.json';

const MAX_FILE_BYTES = 1_048_576;
const MAX_KEY_FILE_BYTES = 65_536;
const KEY = /^[\x21-\x7e]{8,4096}$/;
const READABLE_BY_OTHERS = 0o077;

export interface LoadRules {
  /** Files without client keys are refused. */
  readonly enableClientAuth: boolean;
  readonly allowStoredOauth: boolean;
}

/** One credential file as found on disk, good or not. */
export interface LoadedFile {
  readonly domain: string;
  /** Changes whenever the file, or the key file it names, does. */
  readonly fingerprint: string;
  readonly outcome: DomainCredential | CredentialFileError;
  /** What an administrator should know about a usable file, one line each. */
  readonly hints: readonly string[];
  /** Folder of the key file, to be watched too. */
  readonly keyFolder?: string;
}

/**
 * Reads one credential file and the key file it may name. Never throws for bad content: that is an outcome.
 *
 * @param fileName name without the folder, ending in `.credentials.json`
 * @returns undefined when the file is gone
 */
export async function loadCredential(
  folder: string,
  fileName: string,
  rules: LoadRules,
): Promise<LoadedFile | undefined> {
  const domain = fileName.slice(0, -FILE_SUFFIX.length);
  const failed = (error: CredentialFileError, seen = ''): LoadedFile => ({
    domain,
    fingerprint: fingerprintOf(seen, error.message),
    outcome: error,
    hints: [],
  });
  let text = '';
  try {
    text = await readSmallFile(join(folder, fileName), MAX_FILE_BYTES);
    if (parseHost(domain)?.domain !== domain) {
      throw new CredentialFileError(
        fileName,
        `must be named <domain>${FILE_SUFFIX}, the domain in lower case`,
      );
    }
    const file = accepted(parseCredentialFile(text, fileName), fileName, rules);
    const keyPath = file.api_key_file === undefined ? undefined : resolve(folder, file.api_key_file);
    const key = file.api_key ?? (await readKeyFile(keyPath ?? '', fileName));
    return {
      domain,
      fingerprint: fingerprintOf(text, key),
      outcome: toDomainCredential(domain, { file, key, fileName }),
      hints: await hintsFor(folder, fileName, file),
      ...(keyPath === undefined ? {} : { keyFolder: dirname(keyPath) }),
    };
  } catch (error) {
    if (error instanceof CredentialFileError) return failed(error, text);
    if (errorCode(error) === 'ENOENT') return undefined;
    return failed(
      new CredentialFileError(fileName, `cannot be read (${errorCode(error)})`, { cause: error }),
    );
  }
}

/** What this stage of the product can use. */
function accepted(file: CredentialFile, fileName: string, rules: LoadRules): ApiKeyCredential {
  if (file.type === 'oauth') {
    throw new CredentialFileError(
      fileName,
      rules.allowStoredOauth
        ? 'stored claude.ai logins ("type": "oauth") are not built yet; use "type": "api_key"'
        : 'stored claude.ai logins ("type": "oauth") are against the terms of the vendor for shared use and off; use "type": "api_key"',
    );
  }
  if (rules.enableClientAuth && clientKeysOf(file).length === 0) {
    throw new CredentialFileError(
      fileName,
      'field "client_api_key" or "client_keys" is needed; only ENABLE_CLIENT_AUTH=false does without',
    );
  }
  return file;
}

function toDomainCredential(
  domain: string,
  loaded: { file: ApiKeyCredential; key: string; fileName: string },
): DomainCredential {
  const { file, key, fileName } = loaded;
  const keys = clientKeysOf(file);
  if (keys.some((client) => client.key === key)) {
    throw new CredentialFileError(fileName, 'a client key equals the upstream credential; generate another');
  }
  return {
    domain,
    accountId: file.accountId ?? domain,
    clientKeys: new ClientKeys(keys),
    allowedPaths: file.allowed_paths ?? [],
    outboundHeader: ['x-api-key', key],
  };
}

async function readKeyFile(path: string, fileName: string): Promise<string> {
  let key: string;
  try {
    key = (await readSmallFile(path, MAX_KEY_FILE_BYTES)).trim();
  } catch (error) {
    throw new CredentialFileError(fileName, `field "api_key_file" cannot be read (${errorCode(error)})`, {
      cause: error,
    });
  }
  if (!KEY.test(key)) {
    throw new CredentialFileError(fileName, 'field "api_key_file" names a file that does not hold one key');
  }
  return key;
}

async function readSmallFile(path: string, maxBytes: number): Promise<string> {
  // Without O_NONBLOCK, opening a named pipe would wait for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await requireFile(handle.stat());
    if (size > maxBytes) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function requireFile<S extends { isFile(): boolean }>(stats: Promise<S>): Promise<S> {
  const found = await stats;
  if (!found.isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
  return found;
}

async function hintsFor(folder: string, fileName: string, file: ApiKeyCredential): Promise<string[]> {
  const hints: string[] = [];
  const stats = await lstat(join(folder, fileName));
  // A mounted Secret is a link into a folder whose mode the cluster decides.
  if (process.platform !== 'win32' && stats.isFile() && (stats.mode & READABLE_BY_OTHERS) !== 0) {
    hints.push(`${fileName}: other users of this machine can read it; chmod 600 closes it`);
  }
  if (file.slack !== undefined) hints.push(`${fileName}: field "slack" is accepted but has no effect yet`);
  return hints;
}

function fingerprintOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'unknown error';
}
