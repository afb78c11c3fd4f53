import { run } from './command.ts';
import type { ClusterSite } from './site.ts';

/** A line of one of our programs. */
export interface LogLine {
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What a pod has printed so far. @param namespace default: the gateway's */
export function logOf(site: ClusterSite, pod: string, namespace?: string): Promise<readonly LogLine[]> {
  return read(site, [pod, '-n', namespace ?? site.namespace]);
}

/** Follows what a pod prints until it ends; asked for while it runs, for nothing of it is left afterwards. */
export function logUntilEnd(site: ClusterSite, pod: string): Promise<readonly LogLine[]> {
  return read(site, [pod, '-n', site.namespace, '--follow']);
}

async function read({ real }: ClusterSite, args: readonly string[]): Promise<readonly LogLine[]> {
  const { kubeconfig, connection } = real.state;
  const printed = await run([connection.kubectl, '--kubeconfig', kubeconfig, 'logs', ...args]);
  return printed
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);
}
