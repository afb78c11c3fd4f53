import { forward } from './pods.ts';
import type { ClusterSite } from './site.ts';

const PREFIX = 'claude_nexus_';
const PORTS = { proxy: 9090, dashboard: 9091 } as const;

/** Series of all pods of a component. */
export interface Metrics {
  /** @param name without the prefix @param labels those that must be as given @returns 0 where there is no such series */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** Reads `/metrics` of every pod of a component, or only of some. */
export async function readMetrics(
  site: ClusterSite,
  component: 'proxy' | 'dashboard',
  only?: readonly string[],
): Promise<Metrics> {
  const lines: string[] = [];
  for (const { metadata } of await site.pods(component)) {
    if (only !== undefined && !only.includes(metadata.name)) continue;
    lines.push(...(await linesOf(site, metadata.name, PORTS[component])));
  }
  return {
    sum: (name, labels = {}) => {
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return lines
        .filter((line) => line.startsWith(`${PREFIX}${name}{`) || line.startsWith(`${PREFIX}${name} `))
        .filter((line) => wanted.every((label) => line.includes(label)))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
  };
}

async function linesOf(site: ClusterSite, pod: string, port: number): Promise<readonly string[]> {
  const { url, close } = await forward(site.real, site.namespace, `pod/${pod}`, port);
  try {
    return (await (await fetch(`${url}/metrics`)).text()).split('\n');
  } finally {
    await close();
  }
}
