/**
 * What the operator costs with many resources, on a real API server with the real controllers. Prints a table and
 * asserts nothing: `npm run bench:operator -- [--resources 200] [--namespaces 10] [--rest 20]`.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { findPrograms } from '../fixtures/control-plane/binaries.ts';
import { toolsOfThisMachine } from '../fixtures/control-plane/tools.ts';
import { resourcesPath } from '../operator/crd.ts';
import { IN_CONTAINER, runOperator } from '../operator/operator-process.ts';
import { writesSince } from '../operator/oracles.ts';
import { OwnPlane } from '../operator/own-plane.ts';
import { condition, newResource } from '../operator/resource.ts';
import { cell, printTable } from './table.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';

const MIB = 2 ** 20;
const POLL_MS = 500;
/** So many seconds without a write mean that it has come to rest. */
const CALM_S = 5;

interface Flags {
  readonly resources: number;
  readonly namespaces: number;
  /** Seconds for which writes at rest are counted. */
  readonly rest: number;
}

const { values } = parseArgs({
  options: {
    resources: { type: 'string', default: '200' },
    namespaces: { type: 'string', default: '10' },
    rest: { type: 'string', default: '20' },
  },
});
await run({
  resources: Number(values.resources),
  namespaces: Number(values.namespaces),
  rest: Number(values.rest),
});

async function run(flags: Flags): Promise<void> {
  const programs = await findPrograms(toolsOfThisMachine());
  if ('missing' in programs) throw new Error(programs.missing);
  const plane = await OwnPlane.start(programs.folder);
  try {
    const namespaces: string[] = [];
    for (let made = 0; made < flags.namespaces; made += 1) namespaces.push(await plane.namespace());
    const operator = await runOperator(plane.cluster, { nodeFlags: IN_CONTAINER });
    const idle = await memoryOf(operator);
    await measure(plane, { operator, namespaces, idle, flags });
    await operator.stop();
  } finally {
    await plane.stop();
  }
}

interface Bench {
  readonly operator: OperatorProcess;
  readonly namespaces: readonly string[];
  readonly idle: Memory;
  readonly flags: Flags;
}

async function measure(plane: OwnPlane, { operator, namespaces, idle, flags }: Bench): Promise<void> {
  const api = plane.cluster.api();
  const begin = performance.now();
  for (let made = 0; made < flags.resources; made += 1) {
    const namespace = namespaces[made % namespaces.length] ?? '';
    await api.create(resourcesPath(namespace), newResource(`nexus-${made}`, {}));
  }
  const created = performance.now();
  await untilAllReady(plane, flags.resources);
  const converged = performance.now();
  await untilCalm(plane);
  const [requests, reconciles] = [await requestsOf(operator), await reconcilesOf(operator)];
  const mark = await plane.cluster.auditMark();
  await delay(flags.rest * 1000);
  const writes = await writesSince(plane.cluster, mark);
  const loaded = await memoryOf(operator);
  printTable(
    `The operator with ${flags.resources} resources in ${namespaces.length} namespaces`,
    ['what', 'figure', 'unit'],
    [
      ['creating the resources', cell((created - begin) / 1000, 1), 's'],
      ['until all are ready', cell((converged - begin) / 1000, 1), 's'],
      ['requests', cell(requests), ''],
      ['reconciles', cell(reconciles), ''],
      ['requests per reconcile', cell(requests / reconciles, 1), ''],
      ['requests per resource', cell(requests / flags.resources, 1), ''],
      ['writes at rest', cell(writes.length), `in ${flags.rest} s`],
      ['resident without resources', cell(idle.now / MIB), 'MiB'],
      ['resident with resources', cell(loaded.now / MIB), 'MiB'],
      ['resident at most', cell(loaded.most / MIB), 'MiB'],
    ],
  );
}

/** Asks as long as it takes: a control plane on two processors is busier than the operator. */
async function untilAllReady(plane: OwnPlane, count: number): Promise<void> {
  for (;;) {
    const all = await plane.cluster.api().list('/apis/claudenexus.dev/v1alpha1/claudenexuses');
    if (all.filter((resource) => condition(resource, 'Ready')?.status === 'True').length === count) return;
    await delay(POLL_MS);
  }
}

async function untilCalm(plane: OwnPlane): Promise<void> {
  for (;;) {
    const mark = await plane.cluster.auditMark();
    await delay(CALM_S * 1000);
    if ((await writesSince(plane.cluster, mark)).length === 0) return;
  }
}

interface Memory {
  readonly now: number;
  readonly most: number;
}

/** Resident bytes; zero where there is no /proc. */
async function memoryOf({ pid }: OperatorProcess): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { now: bytes('VmRSS'), most: bytes('VmHWM') };
}

/** All requests, those of watches and of the lease among them. */
async function requestsOf(operator: OperatorProcess): Promise<number> {
  return sumOf(await operator.metrics(), 'rest_client_requests_total');
}

async function reconcilesOf(operator: OperatorProcess): Promise<number> {
  return sumOf(await operator.metrics(), 'controller_runtime_reconcile_total');
}

function sumOf(text: string, name: string): number {
  const values = text.matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}
