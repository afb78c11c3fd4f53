const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_MS = 7 * DAY_MS;
/** The epoch was a Thursday; weeks begin on Monday. */
const EPOCH_AFTER_MONDAY_MS = 3 * DAY_MS;
const ROLLUP_MS = 15 * 60 * 1000;

/** Number of the UTC week (Monday to Sunday) of a time in epoch milliseconds; week 0 began on 1969-12-29. */
export function weekOf(ms: number): number {
  return Math.floor((ms + EPOCH_AFTER_MONDAY_MS) / WEEK_MS);
}

/** First millisecond of a week. */
export function weekStart(week: number): number {
  return week * WEEK_MS - EPOCH_AFTER_MONDAY_MS;
}

/** Start of the 15-minute UTC bucket of a time: fine enough for exact days in every time zone. */
export function rollupBucket(ms: number): number {
  return Math.floor(ms / ROLLUP_MS) * ROLLUP_MS;
}
