import { randomUUID } from 'node:crypto';
import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { SpoolError, SpoolInUseError } from './errors.ts';

const LOCK_FILE = 'owner.json';
const HEARTBEAT_MS = 1000;
/** An owner whose process cannot be looked at is dead when its heartbeat stands still this long. */
const SILENCE_MS = 3500;
/** Heartbeats older than this are not even watched. */
const LONG_SILENCE_MS = 60_000;
/** After a takeover: time for a rival that judged the same stale file to show itself. */
const SETTLE_MS = 50;
const MAX_ATTEMPTS = 5;
/** Where the platform gives no start time, a running pid alone proves nothing. */
const NO_START_TIME = 'unknown';

/** Who owns the spool. Process ids repeat, so the start time tells one process from the next. */
export interface OwnerRecord {
  token: string;
  pid: number;
  /** Clock ticks since boot, or `unknown`. */
  startTime: string | undefined;
  host: string;
  bootId: string | undefined;
  pidNamespace: string | undefined;
}

export type OwnerState = 'live' | 'stale' | 'unknown';

/** The platform's view of processes; injected by tests. */
export interface ProcessTable {
  self(): Omit<OwnerRecord, 'token'>;
  /** Start time of a process of this machine and pid namespace; undefined: there is none. */
  startTimeOf(pid: number): string | undefined;
}

export const systemProcessTable: ProcessTable = {
  self: () => ({
    pid: process.pid,
    startTime: systemProcessTable.startTimeOf(process.pid),
    host: hostname(),
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    pidNamespace: readLink('/proc/self/ns/pid'),
  }),
  startTimeOf(pid) {
    const stat = readText(`/proc/${pid}/stat`);
    // The command, in parentheses, may itself hold blanks and parentheses; field 22 is the 20th after it.
    if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    if (process.platform === 'linux') return undefined;
    return isAlive(pid) ? NO_START_TIME : undefined;
  },
};

/** Decides from the records alone whether the owner lives; `unknown` when it runs where we cannot look. */
export function judgeOwner(owner: OwnerRecord, table: ProcessTable): OwnerState {
  const self = table.self();
  const sameProcesses =
    owner.host === self.host && owner.bootId === self.bootId && owner.pidNamespace === self.pidNamespace;
  if (!sameProcesses) return 'unknown';
  const startTime = table.startTimeOf(owner.pid);
  if (startTime === undefined) return 'stale';
  if (owner.startTime === NO_START_TIME) return 'unknown';
  return startTime === owner.startTime ? 'live' : 'stale';
}

export interface OwnerLockOptions {
  spoolDir: string;
  table?: ProcessTable;
  /** Called once when another process has taken the folder over. */
  onStolen: () => void;
  /** Tests shorten it. */
  silenceMs?: number;
}

/** Exclusive ownership of a spool folder, kept alive by a heartbeat (the file's modification time). */
export class OwnerLock {
  readonly #path: string;
  readonly #inode: number;
  readonly #onStolen: () => void;
  #timer: NodeJS.Timeout | undefined;

  private constructor(path: string, onStolen: () => void) {
    this.#path = path;
    this.#inode = statSync(path).ino;
    this.#onStolen = onStolen;
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  /**
   * @throws {SpoolInUseError} when a live process owns the folder
   * @throws {SpoolError} when the folder cannot be written
   */
  static async acquire(options: OwnerLockOptions): Promise<OwnerLock> {
    const table = options.table ?? systemProcessTable;
    const path = join(options.spoolDir, LOCK_FILE);
    const own: OwnerRecord = { token: randomUUID(), ...table.self() };
    const draft = join(options.spoolDir, `owner-${own.token}.tmp`);
    try {
      writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
    } catch (error) {
      throw unusable(options.spoolDir, error);
    }
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        if (tryLink(draft, path, options.spoolDir)) {
          // A rival may have judged the previous owner stale before we replaced it.
          if (attempt > 0) await delay(SETTLE_MS);
          if (tokenOf(readOwner(path)) === own.token) return new OwnerLock(path, options.onStolen);
          continue;
        }
        await removeIfStale(path, { ...options, table });
      }
    } finally {
      rmSync(draft, { force: true });
    }
    throw new SpoolInUseError(
      `spool folder ${options.spoolDir} is being taken over by several processes at once`,
    );
  }

  release(): void {
    clearInterval(this.#timer);
    if (this.#isOurs()) rmSync(this.#path, { force: true });
  }

  #isOurs(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  #beat(): void {
    if (!this.#isOurs()) {
      clearInterval(this.#timer);
      this.#onStolen();
      return;
    }
    const now = new Date();
    try {
      utimesSync(this.#path, now, now);
    } catch {
      // A read-only or full disk is reported by the writes themselves.
    }
  }
}

async function removeIfStale(
  path: string,
  options: OwnerLockOptions & { table: ProcessTable },
): Promise<void> {
  const owner = readOwner(path);
  if (owner === 'absent') return;
  let state = owner === undefined ? 'unknown' : judgeOwner(owner, options.table);
  if (state === 'unknown') state = await watchHeartbeat(path, options.silenceMs ?? SILENCE_MS);
  if (state === 'live') throw inUse(options.spoolDir, owner);
  const aside = `${path}.${randomUUID()}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readOwner(aside);
  const sameOwner = tokenOf(moved) === tokenOf(owner);
  // Moved the lock of a rival that was faster: give it back.
  if (!sameOwner) tryLink(aside, path, options.spoolDir);
  rmSync(aside, { force: true });
}

function tokenOf(owner: OwnerRecord | 'absent' | undefined): string | undefined {
  return typeof owner === 'object' ? owner.token : owner;
}

/** Creates the lock by a hard link, which fails when it exists; true: it did not. */
function tryLink(from: string, to: string, spoolDir: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unusable(spoolDir, error);
  }
}

async function watchHeartbeat(path: string, silenceMs: number): Promise<OwnerState> {
  const before = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (before === undefined || Date.now() - before > LONG_SILENCE_MS) return 'stale';
  await delay(silenceMs);
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs === before ? 'stale' : 'live';
}

/** undefined: the file is there but not readable as a record. */
function readOwner(path: string): OwnerRecord | 'absent' | undefined {
  const text = readText(path);
  if (text === undefined) return 'absent';
  try {
    const parsed = JSON.parse(text) as Partial<OwnerRecord> | null;
    const valid = typeof parsed?.token === 'string' && typeof parsed.pid === 'number';
    return valid ? (parsed as OwnerRecord) : undefined;
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(spoolDir: string, owner: OwnerRecord | undefined): SpoolInUseError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`;
  return new SpoolInUseError(
    `spool folder ${spoolDir} is in use by ${who}; give each proxy a SPOOL_DIR of its own`,
  );
}

function unusable(spoolDir: string, error: unknown): SpoolError {
  const detail = error instanceof Error ? error.message : String(error);
  return new SpoolError(`spool folder ${spoolDir} is not writable (SPOOL_DIR): ${detail}`, { cause: error });
}
