import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'acknowledged.json';

/**
 * The acknowledged offset of each segment, by segment name. The file may lag behind what is committed, because what
 * is read again changes nothing downstream; an unreadable file therefore only costs work.
 */
export function loadAcknowledgements(spoolDir: string): Map<string, number> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(spoolDir, FILE), 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) return new Map();
    return new Map(
      Object.entries(parsed).filter(
        (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0,
      ),
    );
  } catch {
    return new Map();
  }
}

/** Replaces the file in one step. @throws the file system's error */
export function saveAcknowledgements(spoolDir: string, offsets: ReadonlyMap<string, number>): void {
  const draft = join(spoolDir, `${FILE}.tmp`);
  writeFileSync(draft, JSON.stringify(Object.fromEntries(offsets)), { mode: 0o600 });
  renameSync(draft, join(spoolDir, FILE));
}
