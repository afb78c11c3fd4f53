/**
 * What recording costs: the proxy with storage on against no proxy, a bare relay and, where installed, nginx, in
 * turn within one run. Asserts nothing but the bytes: `npm run bench -- --help`.
 */
import { parseArgs } from 'node:util';

import { LOADS, WARM_UP } from './loads.ts';
import { Ledger, measureCpu } from './measure-cpu.ts';
import type { CpuResult } from './measure-cpu.ts';
import { measureAborts, measureLatency } from './measure-latency.ts';
import { measureMemory } from './measure-memory.ts';
import type { MemoryResult } from './measure-memory.ts';
import { measureStorage } from './measure-storage.ts';
import { TextPool } from './random-text.ts';
import { printAborts, printCpu, printLatency, printMemory, printStorage } from './report.ts';
import { RequestFactory } from './requests.ts';
import { startBareRelay, startNexus, startNginx, startStandIn } from './targets.ts';
import type { Target } from './targets.ts';

const USAGE = `npm run bench -- [flags]
  --quick            less of everything, in under a minute
  --only PART        cpu, latency, abort, memory or storage; or a part of "LOAD, first" or "LOAD, turn"
  --rounds N         measured rounds of each load
  --sessions N       sessions of the storage part
  --cpu-prof FOLDER  CPU profiles of the proxy's threads, written when it ends
  --node-flag FLAG   passed to the proxy's Node; may be repeated
`;

const { values: flags } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    sessions: { type: 'string' },
    'cpu-prof': { type: 'string' },
    'node-flag': { type: 'string', multiple: true, default: [] },
  },
});
const { quick, only } = flags;

function wanted(part: string): boolean {
  return only === undefined || part.includes(only);
}

if (flags.help) process.stdout.write(USAGE);
else await run();

async function run(): Promise<void> {
  const factory = new RequestFactory(new TextPool());
  const standIn = await startStandIn();
  const upstream = `http://127.0.0.1:${standIn.port}`;
  const nodeFlags = flags['node-flag'];
  const cpuProfile = flags['cpu-prof'];
  if (cpuProfile !== undefined) nodeFlags.push('--cpu-prof', `--cpu-prof-dir=${cpuProfile}`);
  const bare = await startBareRelay(upstream);
  const nginx = await startNginx(standIn.port);
  const nexus = await startNexus(upstream, nodeFlags);
  const targets: Target[] = [bare, ...(nginx === undefined ? [] : [nginx]), nexus];
  const ledger = new Ledger(nexus.recording);
  try {
    const warmUp = { targets, ledger, factory, rounds: 0, share: quick ? 1 : 2 };
    for (const load of WARM_UP) await measureCpu(load, warmUp);
    await runCpu(targets, factory, ledger);
    if (wanted('latency')) {
      const slices = quick ? 1 : 5;
      printLatency(await measureLatency(standIn, targets, { factory, ledger, slices }));
    }
    if (wanted('abort')) printAborts(await measureAborts(targets, { factory, ledger, standIn }));
    if (wanted('storage')) {
      const sessions = Number(flags.sessions ?? (quick ? 4 : 16));
      printStorage(await measureStorage(nexus, { factory, ledger, sessions }));
    }
  } finally {
    for (const target of targets) await target.stop();
  }
  if (wanted('memory')) await runMemory(standIn.port, factory);
  await standIn.stop();
}

async function runCpu(targets: readonly Target[], factory: RequestFactory, ledger: Ledger): Promise<void> {
  const loads = LOADS.filter(({ name, sight }) => wanted('cpu') || wanted(`${name}, ${sight}`));
  if (loads.length === 0) return;
  const common = { targets, ledger, factory };
  const rounds = Number(flags.rounds ?? (quick ? 2 : 4));
  const results: CpuResult[] = [];
  for (const load of loads)
    results.push(await measureCpu(load, { ...common, rounds, share: quick ? 0.4 : 1 }));
  printCpu(results, targets);
}

/** A process each, because what a process has freed it seldom gives back. */
async function runMemory(upstreamPort: number, factory: RequestFactory): Promise<void> {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  const starts = [() => startBareRelay(upstream), () => startNginx(upstreamPort), () => startNexus(upstream)];
  const results: (MemoryResult | undefined)[] = [];
  for (const bodyBytes of quick ? [1000] : [1000, 76_000]) {
    for (const start of starts) {
      const target = await start();
      if (target === undefined) continue;
      results.push(await measureMemory(target, { factory, bodyBytes, streams: quick ? 200 : 500 }));
      await target.stop();
    }
  }
  printMemory(results);
}
