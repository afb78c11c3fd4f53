type Json = Readonly<Record<string, unknown>>;

const zone = (name: string): Json => ({
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: [name] }] } },
    ],
  },
});
const namespaces = (name: string): Json => ({ namespaceSelector: { matchLabels: { team: name } } });

/** Values of fields of which the schema alone does not tell any, by the end of their path. */
export const VALUES: Readonly<Record<string, readonly [unknown, ...unknown[]]>> = {
  'images.proxy': ['example.com/proxy:one', 'example.com/proxy'],
  'proxy.upstreamUrl': ['https://one.example.com', 'https://two.example.com/base'],
  'proxy.terminationGracePeriodSeconds': [500, 600],
  'proxy.spool.max': ['1Gi', '512Mi'],
  'dashboard.basePath': ['/one', '/two/'],
  'backup.schedule': ['@daily', '30 2 * * *'],
  'serviceMonitor.interval': ['10s', '1m'],
  'ingress.dashboard.host': ['nexus.example.com', 'nexus.example.org'],
  'allowedPaths[]': ['/v1/one', '/v1/two/*'],
  'scheduling.tolerations[]': [
    { key: 'one', operator: 'Exists' },
    { key: 'two', operator: 'Equal', value: 'yes', effect: 'NoSchedule' },
  ],
  'scheduling.affinity': [zone('one'), zone('two')],
  'scheduling.priorityClassName': ['system-cluster-critical', 'system-node-critical'],
  'resources.requests': [{ cpu: '50m' }, { memory: '300Mi', 'ephemeral-storage': '1Gi' }],
  'resources.limits': [{ memory: '4Gi' }, { memory: '5Gi', cpu: 4 }],
  // A client key must not be the credential itself.
  'clientKeys[].secretRef.name': ['clients-one', 'clients-two'],
  'networkPolicy.from[]': [namespaces('one'), namespaces('two')],
  'networkPolicy.metricsFrom[]': [namespaces('one'), namespaces('two')],
};

/** What an object has in addition to what it must have, or its members would be without effect. */
export const CONTEXT: Readonly<Record<string, Json>> = {
  ingress: { dashboard: { host: 'nexus.example.com' } },
};

/** Places that cannot be changed in a resource, with the reason. */
export const FIXED: Readonly<Record<string, string>> = {
  'database.managed': 'one kind of database is always there; features.test.ts goes from one to another',
  'database.external': 'as database.managed',
  'database.cloudNativePG': 'as database.managed',
  'database.managed.version': 'data stays with the version that wrote it: storage.test.ts',
  'database.managed.storage.storageClassName': 'the schema refuses a change for an existing volume',
  'database.managed.backup.storage.storageClassName': 'the schema refuses a change for an existing volume',
  'database.cloudNativePG.storage.storageClassName': 'the schema refuses a change for an existing volume',
};

/** Places whose value is not taken back, with the reason. */
export const ONE_WAY: Readonly<Record<string, string>> = {
  'database.managed.storage.size': 'a volume may grow but not shrink',
  'database.managed.backup.storage.size': 'a volume may grow but not shrink',
  'database.cloudNativePG.storage.size': 'a volume may grow but not shrink',
};
