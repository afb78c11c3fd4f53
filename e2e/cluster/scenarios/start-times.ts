import { expect } from 'vitest';

import { eventually } from '../eventually.ts';
import { logOf } from '../logs.ts';
import { execute, untilCondition } from '../pods.ts';
import type { TestObject } from '../../fixtures/control-plane/api.ts';
import type { ClusterSite } from '../site.ts';

/** What each program says once it serves. */
const SERVES = {
  proxy: 'the proxy serves',
  dashboard: 'the dashboard serves',
  operator: 'the operator runs',
} as const;
type Program = keyof typeof SERVES;

/** Asked of every container, once its image is there. Milliseconds. */
const LONGEST_MS = 2000;

/** From the start of a container's process, to the millisecond, which Kubernetes does not tell. */
const STARTED_AT = `
  const { readFileSync } = require('node:fs');
  const afterBoot = Number(readFileSync('/proc/1/stat', 'utf8').replace(/^.*\\) /, '').split(' ')[19]) / 100;
  const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  console.log(Date.now() - (up - afterBoot) * 1000);
`;

/** Every program serves soon after its container has started. */
export async function measureStarts(site: ClusterSite): Promise<void> {
  const seen: Partial<Record<Program, number>> = {};
  await site.disturb('start each program anew', async () => {
    const old: string[] = [];
    // One after the other: together, as when they are installed, they would wait for each other's processor.
    for (const program of Object.keys(SERVES) as Program[]) {
      const { time, replaced } = await startAnew(site, program);
      seen[program] = time;
      if (program !== 'operator') old.push(replaced);
      site.note(`${program}: ${Math.round(time)} ms from the start of its container until it serves`);
    }
    await site.untilGone(old);
  });
  for (const [program, time] of Object.entries(seen)) {
    expect(time, `milliseconds until the ${program} serves`).toBeLessThan(LONGEST_MS);
  }
}

/** Deletes a pod. @returns the start time of the one that takes its place */
async function startAnew(
  site: ClusterSite,
  program: Program,
): Promise<{ readonly time: number; readonly replaced: string }> {
  const before = await podsOf(site, program);
  const { name, namespace = '' } = before[0]?.metadata ?? { name: '' };
  await site.real.cluster.kubectl(['delete', `pod/${name}`, '-n', namespace, '--wait=false']);
  const pod = await eventually(`a new pod of the ${program}`, async () =>
    (await podsOf(site, program)).find(({ metadata }) =>
      before.every((known) => known.metadata.uid !== metadata.uid),
    ),
  );
  await untilCondition(site.real, { namespace, object: `pod/${pod.metadata.name}` });
  return { time: await startTime(site, pod, program), replaced: name };
}

async function podsOf(site: ClusterSite, program: Program): Promise<readonly TestObject[]> {
  if (program !== 'operator') return site.pods(program);
  return site.real.cluster.api().list(`/api/v1/namespaces/${site.system}/pods`);
}

async function startTime(site: ClusterSite, { metadata }: TestObject, program: Program): Promise<number> {
  const { name, namespace = '' } = metadata;
  const where = { namespace, pod: name, command: ['node', '-e', STARTED_AT] };
  const startedAt = Number(await execute(site.real, where));
  const line = (await logOf(site, name, namespace)).find(({ msg }) => msg === SERVES[program]);
  return Date.parse(line?.time ?? '') - startedAt;
}
