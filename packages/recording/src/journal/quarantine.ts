import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import type { JournalControl } from './control.ts';
import { selfContained } from './copy-record.ts';
import type { SegmentSource } from './segment-source.ts';

const FOLDER = 'quarantine';
const COPY_BYTES = 1024 * 1024;

/** A stretch of a segment. */
export interface SegmentRange {
  source: SegmentSource;
  from: number;
  to: number;
  /** It is a record that says which bytes of another it means; these are kept instead. */
  refers?: boolean;
}

export interface QuarantineEntry {
  /** Names the files: an exchange id, or a segment and an offset. */
  name: string;
  reason: string;
  detail?: string;
  ranges: readonly SegmentRange[];
}

/** The folder for what cannot be processed: `<name>.records` holds the raw bytes, `<name>.json` says why. */
export class Quarantine {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #control: JournalControl;
  readonly #now: () => number;
  /** Sizes by name, oldest first. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  constructor(options: { spoolDir: string; maxBytes: number; control: JournalControl; now: () => number }) {
    this.#folder = join(options.spoolDir, FOLDER);
    this.#maxBytes = options.maxBytes;
    this.#control = options.control;
    this.#now = options.now;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const { name, size } of listByAge(this.#folder)) this.#account(name, size);
    this.#publish();
  }

  /** Keeps a copy of the ranges and counts the entry; the oldest entries make room. Never throws. */
  add(entry: QuarantineEntry): void {
    this.#control.addToCounter('quarantined', 1);
    const name = `${entry.name.replaceAll(/[^\w.-]/g, '_')}.records`;
    const draft = join(this.#folder, `${name}.tmp`);
    try {
      const bytes = this.#copy(draft, entry.ranges);
      this.#forget(name);
      this.#makeRoom(bytes);
      renameSync(draft, join(this.#folder, name));
      writeFileSync(join(this.#folder, name.replace(/records$/, 'json')), this.#describe(entry), {
        mode: 0o600,
      });
      this.#account(name, bytes);
    } catch {
      // A full disk must not stop the rest of the journal; the count above still tells.
      rmSync(draft, { force: true });
    }
    this.#publish();
  }

  #describe(entry: QuarantineEntry): string {
    const { name, reason, detail, ranges } = entry;
    const places = ranges.map(({ source, from, to }) => ({ segment: source.name, from, to }));
    return JSON.stringify({ name, reason, detail, at: new Date(this.#now()).toISOString(), places });
  }

  #copy(path: string, ranges: readonly SegmentRange[]): number {
    const fd = openSync(path, 'w', 0o600);
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    let bytes = 0;
    try {
      for (const { source, from, to, refers } of ranges) {
        if (refers === true) {
          const record = Buffer.allocUnsafe(to - from);
          source.read(record, 0, record.length, from);
          bytes += writeSync(fd, selfContained(source, record));
          continue;
        }
        for (let at = from; at < to && bytes < this.#maxBytes; at += buffer.length) {
          const length = Math.min(buffer.length, to - at, this.#maxBytes - bytes);
          const filled = source.read(buffer, 0, length, at);
          writeSync(fd, buffer, 0, filled);
          bytes += filled;
        }
      }
    } finally {
      closeSync(fd);
    }
    return bytes;
  }

  #makeRoom(bytes: number): void {
    for (const name of this.#sizes.keys()) {
      if (this.#bytes + bytes <= this.#maxBytes) return;
      this.#forget(name);
    }
  }

  #forget(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    if (!this.#sizes.delete(name)) return;
    rmSync(join(this.#folder, name), { force: true });
    rmSync(join(this.#folder, name.replace(/records$/, 'json')), { force: true });
  }

  #account(name: string, bytes: number): void {
    this.#sizes.set(name, bytes);
    this.#bytes += bytes;
  }

  #publish(): void {
    this.#control.setCounter('quarantineBytes', this.#bytes);
  }
}

function listByAge(folder: string): { name: string; size: number }[] {
  const files: { name: string; size: number; at: number }[] = [];
  for (const name of readdirSync(folder)) {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (name.endsWith('.tmp')) rmSync(join(folder, name), { force: true });
    else if (name.endsWith('.records')) files.push({ name, size: stats.size, at: stats.mtimeMs });
  }
  return files.toSorted((a, b) => a.at - b.at);
}
