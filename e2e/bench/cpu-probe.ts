/** Loaded into a measured Node process with `--import`: answers a message with what the process has used so far. */
import { readdirSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Microseconds of user and system time of all threads, and resident bytes. */
export interface ProcessUse {
  readonly cpuUs: number;
  readonly rssBytes: number;
  /** CPU microseconds by name of thread; empty where there is no /proc. */
  readonly threads: Readonly<Record<string, number>>;
}

const TASKS = '/proc/self/task';

function threads(): Record<string, number> {
  const sums: Record<string, number> = {};
  if (process.platform !== 'linux') return sums;
  for (const task of readdirSync(TASKS)) {
    try {
      const name = readFileSync(`${TASKS}/${task}/comm`, 'utf8').trim();
      const ranNs = Number(readFileSync(`${TASKS}/${task}/schedstat`, 'utf8').split(' ', 1)[0]);
      sums[name] = (sums[name] ?? 0) + ranNs / 1000;
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return sums;
}

if (isMainThread) {
  process.on('message', (message) => {
    if (message !== 'use') return;
    const { user, system } = process.cpuUsage();
    const use: ProcessUse = { cpuUs: user + system, rssBytes: process.memoryUsage.rss(), threads: threads() };
    process.send?.({ use });
  });
  // The measured process decides itself when it ends.
  process.channel?.unref();
}
