import { readdir } from 'node:fs/promises';

import { CredentialFileError } from '@claude-nexus/runtime';
import type { Logger } from '@claude-nexus/runtime';

import { CredentialsDirError } from '../errors.ts';
import type { DomainCredential, DomainLookup } from './domain-credential.ts';
import { FILE_SUFFIX, loadCredential } from './load-credential.ts';
import type { LoadedFile, LoadRules } from './load-credential.ts';
import { watchFolders } from './watch-folders.ts';
import type { FolderWatch } from './watch-folders.ts';

const POLL_MS = 30_000;
/** One write of a file, or one swap of a mounted Secret, is a burst of events. */
const SETTLE_MS = 50;
/** Editors replace a file by removing it first; for that moment the domain must not count as unmanaged. */
const REMOVAL_GRACE_MS = 1000;
/** Shipped with the product as a pattern to copy. */
const EXAMPLE_FILE = `example${FILE_SUFFIX}`;

/** Time and file events; replaced in tests. */
export interface CredentialStoreHost {
  now(): number;
  /** Calls once after a time. Returns what cancels it. */
  after(ms: number, call: () => void): () => void;
  watch(onChange: () => void, onError: (error: Error) => void): FolderWatch;
}

export interface CredentialStoreOptions {
  readonly folder: string;
  readonly rules: LoadRules;
  readonly logger: Logger;
  /** Called once per newly found bad version of a file, and when the folder cannot be read. */
  readonly onReloadFailure: () => void;
  readonly host?: CredentialStoreHost;
}

/** How many domains there are in each state. */
export interface CredentialCounts {
  /** The newest version of the file is in use. */
  readonly current: number;
  /** The newest version is bad; the last good one is in use. */
  readonly stale: number;
  /** No version was ever good; requests are refused. */
  readonly unusable: number;
}

interface Entry {
  readonly fingerprint: string;
  readonly credential: DomainCredential | undefined;
  readonly stale: boolean;
  readonly keyFolder: string | undefined;
  /** When the file was first found missing. */
  readonly missingSince: number | undefined;
}

const REAL_HOST: CredentialStoreHost = {
  now: Date.now,
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
  watch: watchFolders,
};

/**
 * The credential files of a folder, by domain, kept up to date: the folder is watched, because a mounted Secret is
 * swapped as a whole through a link, and polled, because file events get lost.
 */
export class CredentialStore implements DomainLookup {
  readonly #options: CredentialStoreOptions;
  readonly #host: CredentialStoreHost;
  readonly #entries = new Map<string, Entry>();
  readonly #hinted = new Set<string>();
  readonly #watch: FolderWatch;
  #watched = '';
  #folderProblem: string | undefined;
  #queue: Promise<void> = Promise.resolve();
  #cancelSettle: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #closed = false;

  private constructor(options: CredentialStoreOptions) {
    this.#options = options;
    this.#host = options.host ?? REAL_HOST;
    this.#watch = this.#host.watch(
      () => this.#changed(SETTLE_MS),
      (error) =>
        options.logger.warn({ err: error }, 'credentials are polled only: the folder cannot be watched'),
    );
  }

  /**
   * Loads the folder and keeps it up to date until `close`.
   *
   * @throws {CredentialFileError} for the first unusable file
   * @throws {CredentialsDirError} when the folder cannot be read; a missing one only warns
   */
  static async open(options: CredentialStoreOptions): Promise<CredentialStore> {
    const store = new CredentialStore(options);
    try {
      await store.#load('start');
    } catch (error) {
      store.close();
      throw error;
    }
    store.#poll();
    return store;
  }

  find(domain: string): DomainCredential | 'unusable' | undefined {
    const entry = this.#entries.get(domain);
    return entry === undefined ? undefined : (entry.credential ?? 'unusable');
  }

  counts(): CredentialCounts {
    const entries = [...this.#entries.values()];
    const unusable = entries.filter((entry) => entry.credential === undefined).length;
    const stale = entries.filter((entry) => entry.stale).length - unusable;
    return { current: entries.length - stale - unusable, stale, unusable };
  }

  /** Looks at the folder again. Resolves when what it holds is in force; never rejects. */
  reload(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#load('reload'));
    return this.#queue;
  }

  /** Resolves when every reload asked for so far is done. */
  idle(): Promise<void> {
    return this.#queue;
  }

  close(): void {
    this.#closed = true;
    this.#cancelSettle?.();
    this.#cancelPoll?.();
    this.#watch.close();
  }

  #changed(delayMs: number): void {
    if (this.#closed) return;
    this.#cancelSettle?.();
    this.#cancelSettle = this.#host.after(delayMs, () => void this.reload());
  }

  #poll(): void {
    if (this.#closed) return;
    this.#cancelPoll = this.#host.after(POLL_MS, () => void this.#pollOnce());
  }

  async #pollOnce(): Promise<void> {
    // The folder may have been replaced by another of the same name: its watch is opened anew.
    this.#watched = '';
    await this.reload();
    this.#poll();
  }

  async #load(phase: 'start' | 'reload'): Promise<void> {
    const names = await this.#list(phase);
    if (names === undefined) return;
    const seen = new Set<string>();
    for (const name of names) {
      const file = await loadCredential(this.#options.folder, name, this.#options.rules);
      if (file === undefined) continue;
      seen.add(file.domain);
      this.#accept(file, phase);
    }
    for (const domain of this.#entries.keys()) {
      if (!seen.has(domain)) this.#missing(domain);
    }
    this.#watchAll();
  }

  async #list(phase: 'start' | 'reload'): Promise<string[] | undefined> {
    const { folder, logger, onReloadFailure } = this.#options;
    try {
      const names = await readdir(folder);
      this.#folderProblem = undefined;
      for (const name of names) this.#hintMisnamed(name);
      return names.filter(
        (name) => name.endsWith(FILE_SUFFIX) && !name.startsWith('.') && name !== EXAMPLE_FILE,
      );
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      if (phase === 'start' && code !== 'ENOENT') {
        throw new CredentialsDirError(`cannot read CREDENTIALS_DIR ${folder} (${code})`, { cause: error });
      }
      if (this.#folderProblem !== code) {
        this.#folderProblem = code;
        if (phase === 'reload') onReloadFailure();
        logger.warn(
          { folder, code },
          'the credentials folder cannot be read: what was loaded stays in force',
        );
      }
      return undefined;
    }
  }

  #hintMisnamed(name: string): void {
    if (name.endsWith('.json') && !name.endsWith(FILE_SUFFIX)) {
      this.#hint(`${name}: ignored, because its name does not end in ${FILE_SUFFIX}`);
    }
  }

  #hint(hint: string): void {
    if (this.#hinted.has(hint)) return;
    this.#hinted.add(hint);
    this.#options.logger.warn(hint);
  }

  #accept(file: LoadedFile, phase: 'start' | 'reload'): void {
    const before = this.#entries.get(file.domain);
    const bad = file.outcome instanceof CredentialFileError;
    if (bad && phase === 'start') throw file.outcome;
    const unchanged = before?.fingerprint === file.fingerprint;
    const credential = file.outcome instanceof CredentialFileError ? before?.credential : file.outcome;
    this.#entries.set(file.domain, {
      fingerprint: file.fingerprint,
      credential: unchanged ? before.credential : credential,
      stale: bad,
      keyFolder: file.keyFolder ?? (bad ? before?.keyFolder : undefined),
      missingSince: undefined,
    });
    if (!unchanged) this.#report(file, before?.credential !== undefined);
    for (const hint of file.hints) this.#hint(hint);
  }

  #report(file: LoadedFile, hadGoodVersion: boolean): void {
    const { logger, onReloadFailure } = this.#options;
    if (file.outcome instanceof CredentialFileError) {
      onReloadFailure();
      const effect = hadGoodVersion ? 'the last good version stays in force' : 'the domain is refused';
      logger.error({ err: file.outcome, domain: file.domain }, `credential file refused: ${effect}`);
      return;
    }
    const clientKeys = file.outcome.clientKeys.size;
    logger.info(
      { domain: file.domain, accountId: file.outcome.accountId, clientKeys },
      'credential file loaded',
    );
  }

  #missing(domain: string): void {
    const entry = this.#entries.get(domain);
    if (entry === undefined) return;
    const now = this.#host.now();
    if (entry.missingSince === undefined) {
      this.#entries.set(domain, { ...entry, missingSince: now });
      this.#changed(REMOVAL_GRACE_MS);
    } else if (now - entry.missingSince >= REMOVAL_GRACE_MS) {
      this.#entries.delete(domain);
      this.#options.logger.info({ domain }, 'credential file removed: the domain is no longer managed');
    } else {
      this.#changed(REMOVAL_GRACE_MS);
    }
  }

  #watchAll(): void {
    if (this.#closed) return;
    const keyFolders = [...this.#entries.values()].flatMap((entry) => entry.keyFolder ?? []);
    const folders = [...new Set([this.#options.folder, ...keyFolders])];
    const watched = folders.join('\0');
    if (watched === this.#watched) return;
    this.#watched = watched;
    this.#watch.set(folders);
  }
}
