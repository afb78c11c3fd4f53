import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { API_KEY, putSecret } from './resource.ts';
import type { Api } from '../fixtures/control-plane/api.ts';
import type { ResourceRef } from './resource.ts';

type Spec = Readonly<Record<string, unknown>>;

const HOSTS = ['claude.example.com', 'second.example.com', 'third.example.com'];
const domain = (host: string) => ({
  host,
  credential: { secretRef: { name: 'anthropic', key: 'api-key' } },
});

/** What a user can turn on and off, by name: the parts of the spec each choice stands for. */
export const FEATURES = {
  ingress: { off: {}, on: { ingress: { className: 'nginx', dashboard: { host: 'nexus.example.com' } } } },
  autoscaling: { off: {}, on: { autoscaling: { minReplicas: 2, maxReplicas: 3 } } },
  // A budget comes with the second pod.
  replicas: { one: {}, two: { proxy: { replicas: 2 }, dashboard: { replicas: 2 } } },
  networkPolicy: { on: {}, off: { networkPolicy: { enabled: false } } },
  monitoring: { off: {}, on: { monitoring: { serviceMonitor: {}, prometheusRule: {} } } },
  database: {
    managed: { database: { managed: {} } },
    backedUp: { database: { managed: { backup: { keep: 3 } } } },
    external: { database: { external: { secretRef: { name: 'database' } } } },
    cloudNativePG: { database: { cloudNativePG: { instances: 1 } } },
  },
  domains: {
    one: { domains: HOSTS.slice(0, 1).map((host) => domain(host)) },
    none: {},
    three: { domains: HOSTS.map((host) => domain(host)) },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Spec>>>>;

/** One choice for each feature. */
export type Choice = { readonly [Feature in keyof typeof FEATURES]: keyof (typeof FEATURES)[Feature] };

export function specOf(choice: Choice): Spec {
  const parts = Object.entries(FEATURES).map(
    ([feature, options]) => (options as Readonly<Record<string, Spec>>)[choice[feature as keyof Choice]],
  );
  // An Ingress of the proxy needs a host.
  const spec = Object.assign({}, ...parts) as Record<string, unknown>;
  if (choice.domains === 'none' && choice.ingress === 'on') {
    spec['ingress'] = { ...(spec['ingress'] as Spec), proxy: [{ host: 'gateway.example.com' }] };
  }
  return spec;
}

/** Every choice that takes the first option but for what is given. */
export function choiceOf(differences: Partial<Choice> = {}): Choice {
  const first = Object.fromEntries(
    Object.entries(FEATURES).map(([feature, options]) => [feature, Object.keys(options)[0]]),
  );
  return { ...(first as unknown as Choice), ...differences };
}

/** What users have made before they install: the Secrets the features refer to. */
export async function prepareSecrets(api: Api, namespace: string): Promise<void> {
  await putSecret(api, { namespace, name: 'anthropic' }, { 'api-key': API_KEY });
  await putSecret(
    api,
    { namespace, name: 'database' },
    {
      ownerUrl: 'postgresql://owner:of-the-tests@db.example.com:5432/nexus',
      proxyUrl: 'postgresql://proxy:of-the-tests@db.example.com:5432/nexus',
      dashboardUrl: 'postgresql://dashboard:of-the-tests@db.example.com:5432/nexus',
    },
  );
}

/** Does for the Cluster of a resource what CloudNativePG does: a superuser's Secret, and readiness. */
export async function serveCluster(api: Api, { namespace, name }: ResourceRef): Promise<void> {
  const cluster = `${name}-postgres`;
  const path = `/apis/postgresql.cnpg.io/v1/namespaces/${namespace}/clusters/${cluster}`;
  await until(`Cluster ${cluster}`, () => api.find(path));
  await putSecret(
    api,
    { namespace, name: `${cluster}-superuser` },
    { username: 'postgres', password: 'of-the-double-of-cloudnativepg' },
  );
  const live = await api.get(path);
  if (at(live, 'status.conditions.0.status') === 'True') return;
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'ClusterIsReady',
    message: '',
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const answer = await api.request(
    'PATCH',
    `${path}/status`,
    { status: { conditions: [ready] } },
    { 'content-type': 'application/merge-patch+json' },
  );
  if (answer.status === 404) await api.patch(path, { status: { conditions: [ready] } });
}

/** `feature=option feature=option` for every two features of a choice. */
function pairsOf(choice: Readonly<Record<string, string>>): string[] {
  const parts = Object.entries(choice).map(([name, option]) => `${name}=${option}`);
  return parts.flatMap((part, index) => parts.slice(index + 1).map((other) => `${part} ${other}`));
}

/** The fewest choices, found greedily, that have every pair of options of every two features. */
export function pairwise(): Choice[] {
  const features = Object.entries(FEATURES).map(([name, options]) => [name, Object.keys(options)] as const);
  const all = features.reduce<Record<string, string>[]>(
    (choices, [name, options]) =>
      choices.flatMap((choice) => options.map((option) => ({ ...choice, [name]: option }))),
    [{}],
  );
  const open = new Set(all.flatMap((choice) => pairsOf(choice)));
  const chosen: Choice[] = [];
  while (open.size > 0) {
    const gain = (choice: Readonly<Record<string, string>>) =>
      pairsOf(choice).filter((pair) => open.has(pair)).length;
    const best = all.reduce((a, b) => (gain(b) > gain(a) ? b : a));
    for (const pair of pairsOf(best)) open.delete(pair);
    chosen.push(best as unknown as Choice);
  }
  return chosen;
}
