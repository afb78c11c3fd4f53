import { readFlags, say } from './flags.ts';
import type { Flags } from './flags.ts';
import { growthOf, tableOf } from './growth.ts';
import { OperatorLife } from './operator-life.ts';
import { OperatorSite } from './operator-site.ts';
import type { Sample } from './soak-site.ts';

/**
 * A day's worth of changes and cut watches in a few minutes, then a table of what the operator held meanwhile:
 *
 *     npm run soak:operator -- [--minutes 5] [--seed 1] [--verbose]
 *
 * Exits with 1 when something has grown by more than its bound, or the operator has complained; with 2 for bad flags.
 */
const ROUNDS_PER_MINUTE = 4;
const LEAST_ROUNDS = 6;
/** Of a round; the rest is for coming to rest and being measured. */
const BUSY_SHARE = 0.6;
const SETTINGS = { RESYNC_INTERVAL: '20s', WATCH_TIMEOUT: '15s' };

async function soak(site: OperatorSite, { minutes, seed, verbose }: Flags): Promise<Sample[]> {
  const life = await OperatorLife.begin(site, seed);
  const end = Date.now() + minutes * 60_000;
  const samples: Sample[] = [];
  while (samples.length < LEAST_ROUNDS || Date.now() < end) {
    await life.round((60_000 / ROUNDS_PER_MINUTE) * BUSY_SHARE);
    const sample = await site.sample();
    samples.push(sample);
    if (verbose) say(JSON.stringify(sample));
  }
  for (const [name, count] of life.counts) say(`${String(count).padStart(6)}  ${name}`);
  return samples;
}

async function main(): Promise<number> {
  const flags = readFlags();
  if (flags === undefined) return 2;
  const site = await OperatorSite.start(SETTINGS);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void site.stop().finally(() => process.exit(130)));
  }
  try {
    const growths = growthOf(await soak(site, flags));
    say('');
    for (const line of tableOf(growths)) say(line);
    for (const line of site.complaints.slice(0, 10)) say(`complaint: ${line}`);
    return growths.some(({ grown }) => grown) || site.complaints.length > 0 ? 1 : 0;
  } finally {
    await site.stop();
  }
}

process.exitCode = await main();
