import type { CpuResult } from './measure-cpu.ts';
import type { AbortResult, LatencyResult } from './measure-latency.ts';
import type { MemoryResult } from './measure-memory.ts';
import type { StorageResult } from './measure-storage.ts';
import { cell, printTable, ratio } from './table.ts';
import type { Target } from './targets.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const BARE = 'bare relay';
const NEXUS = 'ClaudeNexus';

/** Threads of a Node process: ours, those that write files, and those that collect garbage and compile. */
const THREADS = { main: 'MainThread', worker: 'recorder', files: 'libuv-worker', V8: 'V8Worker' };

export function printCpu(results: readonly CpuResult[], targets: readonly Target[]): void {
  const names = targets.map(({ name }) => name);
  printTable(
    'CPU per request, microseconds, until every row is in the database and counted',
    ['load', 'sight', ...names, 'x bare', ...Object.keys(THREADS).map((name) => `(${name})`), 'PostgreSQL'],
    results.map(({ load, cpuUs, databaseUs, threadUs }) => [
      `${load.name}, ${load.concurrency} at once`,
      load.sight === 'first' ? 'first' : 'turn n',
      ...names.map((name) => cell(cpuUs.get(name))),
      ratio(cpuUs.get(NEXUS), cpuUs.get(BARE)),
      ...Object.values(THREADS).map((name) => cell(threadUs.get(name))),
      cell(databaseUs),
    ]),
  );
}

export function printLatency(results: readonly LatencyResult[]): void {
  const bare = results.find(({ target }) => target === BARE);
  printTable(
    'Added latency, milliseconds: 16 paced streams, 76 KB bodies, turn n',
    ['target', 'first byte p50', 'p99', 'x bare', 'between deltas p50', 'p99', 'x bare'],
    results.map(({ target, firstByte, gap }) => [
      target,
      cell(firstByte.p50, 2),
      cell(firstByte.p99, 2),
      ratio(firstByte.p99, bare?.firstByte.p99),
      cell(gap.p50, 2),
      cell(gap.p99, 2),
      ratio(gap.p99, bare?.gap.p99),
    ]),
  );
}

export function printAborts(results: readonly AbortResult[]): void {
  printTable(
    'Client leaves: the upstream learns of it after, milliseconds, the slowest of a few',
    ['target', 'mid-upload', 'before the head', 'mid-stream'],
    results.map(({ target, uploadMs, beforeHeadMs, midStreamMs }) => [
      target,
      cell(uploadMs, 1),
      cell(beforeHeadMs, 1),
      cell(midStreamMs, 1),
    ]),
  );
}

export function printMemory(results: readonly (MemoryResult | undefined)[]): void {
  const known = results.filter((result) => result !== undefined);
  const bare = (body: number): number | undefined =>
    known.find(({ target, bodyBytes }) => target === BARE && bodyBytes === body)?.perStreamBytes;
  printTable(
    'Memory of a fresh process',
    [
      'target',
      'KB body',
      'MiB before',
      'KiB per open slow stream',
      'x bare',
      'of it remembered',
      'rest x bare',
    ],
    known.map(({ target, bodyBytes, idleBytes, perStreamBytes, rememberedPerStreamBytes: remembered }) => [
      target,
      cell(bodyBytes / 1000),
      cell(idleBytes / MIB),
      cell(perStreamBytes / KIB),
      ratio(perStreamBytes, bare(bodyBytes)),
      cell(remembered / KIB),
      ratio(perStreamBytes - remembered, bare(bodyBytes)),
    ]),
  );
}

export function printStorage(result: StorageResult | undefined): void {
  if (result === undefined) return;
  const { sessions, rawBytes, distinctBytes, tables } = result;
  const stored = [...tables.values()].reduce((sum, bytes) => sum + bytes, 0);
  const share = (bytes: number): string => ratio(bytes, distinctBytes);
  printTable(
    `Storage, KiB per session: mean of ${sessions} sessions of 40 turns, 73 KB growing to 401 KB`,
    ['what', 'KiB', 'x distinct'],
    [
      ['on the wire', kibCell(rawBytes), share(rawBytes)],
      ['distinct content, zstd -3', kibCell(distinctBytes), share(distinctBytes)],
      ['database growth, indexes included', kibCell(stored), share(stored)],
      ...[...tables].map(([table, bytes]) => [`  ${table}`, kibCell(bytes), share(bytes)]),
    ],
  );
}

function kibCell(bytes: number): string {
  return cell(bytes / KIB);
}
