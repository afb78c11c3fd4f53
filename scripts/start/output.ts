import { createWriteStream, renameSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { WriteStream } from 'node:fs';

/** Levels of the services' log lines that a person at the terminal should see. */
const SHOWN = new Set(['warn', 'error', 'fatal']);

/** Opens a log file of this run; that of the run before keeps its name with `.1` behind it. */
export function openLog(file: string): WriteStream {
  try {
    renameSync(file, `${file}.1`);
  } catch {
    // There was no run before.
  }
  return createWriteStream(file, { flags: 'a', mode: 0o600 });
}

/** Copies every line to the log and hands those for the terminal to `show`. */
export function pipeLines(source: Readable, log: WriteStream, show: (line: string) => void): void {
  createInterface({ input: source, crlfDelay: Infinity }).on('line', (line) => {
    log.write(`${line}\n`);
    const text = terminalLine(line);
    if (text !== undefined) show(text);
  });
}

/** @returns the message of a warning or worse, any line that is no log line, else undefined. */
export function terminalLine(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  if (!line.startsWith('{')) return line;
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown; err?: { message?: unknown } };
    if (typeof entry.level !== 'string') return line;
    if (!SHOWN.has(entry.level)) return undefined;
    const reason = typeof entry.err?.message === 'string' ? `: ${entry.err.message}` : '';
    return `${String(entry.msg)}${reason}`;
  } catch {
    return line;
  }
}
