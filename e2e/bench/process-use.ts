import { readFile } from 'node:fs/promises';

import { descendantsOf, processesLike } from '../fixtures/processes.ts';

/** Linux counts ended children in clock ticks, a hundred a second. */
const TICK_US = 10_000;
const NS_PER_US = 1000;
const PAGE_BYTES = 4096;

/** The PostgreSQL server this process has started; 0 where there is none. */
export async function postmasterPid(): Promise<number> {
  const servers = await processesLike(/postgres/);
  const below = await descendantsOf(process.pid);
  return below.find((pid) => servers.includes(pid)) ?? 0;
}

/** CPU microseconds of a process of another language and all below it; undefined where there is no /proc. */
export async function cpuOfTree(root: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  let sum = 0;
  for (const pid of [root, ...(await descendantsOf(root))]) {
    const running = await readFile(`/proc/${pid}/schedstat`, 'utf8').catch(() => '0');
    sum += Number(running.split(' ', 1)[0]) / NS_PER_US;
  }
  const fields = await procStat(root);
  return sum + (Number(fields[13]) + Number(fields[14])) * TICK_US;
}

/** Resident bytes of a process and all below it. */
export async function rssOfTree(root: number): Promise<number> {
  let sum = 0;
  for (const pid of [root, ...(await descendantsOf(root))]) {
    sum += Number((await procStat(pid))[21] ?? 0) * PAGE_BYTES;
  }
  return sum;
}

/** Fields of /proc/<pid>/stat after the command, which is field 2: `[0]` is the state. */
async function procStat(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
