import { readFlags, say } from './flags.ts';
import type { Flags } from './flags.ts';
import { growthOf, tableOf } from './growth.ts';
import { SoakSite } from './soak-site.ts';
import { Traffic } from './traffic.ts';
import type { Sample } from './soak-site.ts';

/**
 * An hour's worth of a team's traffic in a few minutes, then a table of what proxy and dashboard held meanwhile:
 *
 *     npm run soak -- [--minutes 5] [--seed 1] [--verbose]
 *
 * Exits with 1 when something has grown by more than its bound, or a service has complained; with 2 for bad flags.
 */
const HOUR_OF_DEEDS = 6000;
const ROUNDS_PER_MINUTE = 5;
const ROUND_MS = 60_000 / ROUNDS_PER_MINUTE;
/** Of a round; the rest is for coming to rest and being measured. */
const BUSY_SHARE = 0.75;

async function soak(site: SoakSite, { minutes, seed, verbose }: Flags): Promise<Sample[]> {
  const rounds = Math.max(6, Math.round(minutes * ROUNDS_PER_MINUTE));
  const traffic = new Traffic(site, seed);
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await traffic.round(Math.ceil(HOUR_OF_DEEDS / rounds), ((minutes * 60_000) / rounds) * BUSY_SHARE);
    await site.quiet();
    samples.push(...(await site.sample()));
    if (verbose) for (const sample of samples.slice(-2)) say(JSON.stringify(sample));
    if (round % ROUNDS_PER_MINUTE === 0)
      say(`${Math.round((round * ROUND_MS) / 60_000)} min: ${rounds - round} rounds to go`);
  }
  say('');
  for (const [name, count] of traffic.counts) say(`${String(count).padStart(6)}  ${name}`);
  return samples;
}

async function main(): Promise<number> {
  const flags = readFlags();
  if (flags === undefined) return 2;
  const site = await SoakSite.start();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void site.stop().finally(() => process.exit(130)));
  }
  try {
    const samples = await soak(site, flags);
    const growths = ['proxy', 'dashboard'].flatMap((service) =>
      growthOf(samples.filter((sample) => sample.service === service)),
    );
    say('');
    for (const line of tableOf(growths)) say(line);
    for (const line of site.complaints.slice(0, 10)) say(`complaint: ${line}`);
    return growths.some(({ grown }) => grown) || site.complaints.length > 0 ? 1 : 0;
  } finally {
    await site.stop();
  }
}

process.exitCode = await main();
