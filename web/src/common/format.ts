const integer = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/** What stands where a value is unknown; never a zero. */
export const UNKNOWN = '–';

/** A count in full: `12,345`. */
export function formatCount(value: number | null): string {
  return value === null ? UNKNOWN : integer.format(value);
}

/** A count in short: `12.3K`. */
export function formatCompact(value: number | null): string {
  return value === null ? UNKNOWN : compact.format(value);
}

/** A part of 1 in percent: `97%`. */
export function formatShare(share: number | null): string {
  return share === null ? UNKNOWN : percent.format(share);
}

/** A decimal string of US dollars: four digits below one dollar, two above, and never a rounded-away zero. */
export function formatMoney(usd: string | null): string {
  if (usd === null) return UNKNOWN;
  const value = Number(usd);
  if (value === 0) return '$0.00';
  if (value < 0.0001) return '<$0.0001';
  return `$${value.toFixed(value < 1 ? 4 : 2)}`;
}

/** Milliseconds as `230 ms`, `4.2 s` or `3 min 5 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return UNKNOWN;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Bytes as `812 B`, `76.2 kB`, `2.1 MB`. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return UNKNOWN;
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Clock time in the reader's zone, with the date when it is not the day of `now`. */
export function formatTime(timestamp: string, now: Date = new Date()): string {
  const at = new Date(timestamp);
  const time = at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })}, ${time}`;
}

/** Date and time in the reader's zone, with the zone: for where one instant matters. */
export function formatInstant(timestamp: string): string {
  return new Date(timestamp).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'long',
  });
}

/** The start of an identifier, enough to tell two apart by eye. */
export function shortId(id: string | null): string {
  if (id === null) return UNKNOWN;
  return id.length > 13 ? `${id.slice(0, 8)}…` : id;
}
