import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';

/*
 * The one source of the resource's fields: crds/claudenexuses.claudenexus.dev.yaml and the types come from here.
 * Structural schemas know no `$ref` and no closed objects: the API server drops unknown fields itself.
 */

const Optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
const Strings = Type.Record(Type.String(), Type.String());
/** Pass-through of a core type: any field, kept as it is. */
const Opaque = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', description });

const SecretKeyRef = Type.Object({ name: Type.String(), key: Type.String() });

const Resources = Type.Object({
  requests: Optional(Strings),
  limits: Optional(Strings),
});

const Scheduling = Type.Object({
  nodeSelector: Optional(Strings),
  tolerations: Optional(Type.Array(Opaque('A core/v1 Toleration.'))),
  affinity: Optional(Opaque('A core/v1 Affinity.')),
  priorityClassName: Optional(Type.String()),
});

const Service = Type.Object({
  type: Optional(
    Type.Union([Type.Literal('ClusterIP'), Type.Literal('NodePort'), Type.Literal('LoadBalancer')]),
  ),
  annotations: Optional(Strings),
});

const LogLevel = Type.Union([
  Type.Literal('trace'),
  Type.Literal('debug'),
  Type.Literal('info'),
  Type.Literal('warn'),
  Type.Literal('error'),
  Type.Literal('fatal'),
]);

const Volume = Type.Object({
  /** A quantity. */
  size: Type.String(),
  storageClassName: Optional(Type.String()),
});

const Images = Type.Object({
  proxy: Optional(Type.String()),
  dashboard: Optional(Type.String()),
  postgres: Optional(Type.String()),
  pullPolicy: Optional(
    Type.Union([Type.Literal('Always'), Type.Literal('IfNotPresent'), Type.Literal('Never')]),
  ),
  pullSecrets: Optional(Type.Array(Type.Object({ name: Type.String() }))),
});

const Proxy = Type.Object({
  /** Default 1. Not used while `autoscaling` is set. */
  replicas: Type.Integer(),
  upstreamUrl: Type.String(),
  passthrough: Type.Union([Type.Literal('deny'), Type.Literal('allow')]),
  clientAuth: Type.Boolean(),
  drainTimeoutSeconds: Type.Integer(),
  /** Absent: drainTimeoutSeconds + 30. */
  terminationGracePeriodSeconds: Optional(Type.Integer()),
  /** Quantity; MAX_INFLIGHT_BYTES. */
  maxInflight: Type.String(),
  logLevel: LogLevel,
  spool: Type.Object({
    /** Quantity; SPOOL_MAX_BYTES. */
    max: Type.String(),
    /** Quantity; size limit of the emptyDir, above `max`. */
    sizeLimit: Type.String(),
  }),
  resources: Optional(Resources),
  scheduling: Optional(Scheduling),
  service: Optional(Service),
});

const Dashboard = Type.Object({
  replicas: Type.Integer(),
  basePath: Type.String(),
  logLevel: LogLevel,
  /** The user's own key; absent: one is generated. */
  keySecretRef: Optional(SecretKeyRef),
  resources: Optional(Resources),
  scheduling: Optional(Scheduling),
  service: Optional(Service),
});

const Backup = Type.Object({
  /** Cron expression. */
  schedule: Type.String(),
  /** Dumps kept. */
  keep: Type.Integer(),
  storage: Volume,
  suspend: Type.Boolean(),
});

const ManagedDatabase = Type.Object({
  /** PostgreSQL major version. */
  version: Type.Integer(),
  storage: Volume,
  /** What happens to the volumes when the resource is deleted. */
  deletionPolicy: Type.Union([Type.Literal('Retain'), Type.Literal('Delete')]),
  resources: Optional(Resources),
  scheduling: Optional(Scheduling),
  backup: Optional(Backup),
  /** Fills an empty database from a dump before anything else uses it. */
  restore: Optional(Type.Object({ claimName: Type.String(), file: Type.String() })),
});

const CloudNativePg = Type.Object({
  instances: Type.Integer(),
  imageName: Optional(Type.String()),
  storage: Volume,
  resources: Optional(Resources),
  deletionPolicy: Type.Union([Type.Literal('Retain'), Type.Literal('Delete')]),
});

/** Exactly one member. */
const Database = Type.Object({
  managed: Optional(ManagedDatabase),
  /** A Secret with the keys ownerUrl, proxyUrl and dashboardUrl. */
  external: Optional(Type.Object({ secretRef: Type.Object({ name: Type.String() }) })),
  cloudNativePG: Optional(CloudNativePg),
});

const Domain = Type.Object({
  host: Type.String(),
  accountId: Optional(Type.String()),
  credential: Type.Object({ secretRef: SecretKeyRef }),
  /** Absent or empty: one key named `default` is generated. */
  clientKeys: Optional(Type.Array(Type.Object({ name: Type.String(), secretRef: SecretKeyRef }))),
  allowedPaths: Optional(Type.Array(Type.String())),
});

const IngressHost = Type.Object({ host: Type.String(), tlsSecretName: Optional(Type.String()) });

const Ingress = Type.Object({
  className: Optional(Type.String()),
  annotations: Optional(Strings),
  /** Hosts that lead to the proxy; absent: the hosts of `domains`, without TLS. */
  proxy: Optional(Type.Array(IngressHost)),
  dashboard: Optional(IngressHost),
});

const Autoscaling = Type.Object({
  minReplicas: Type.Integer(),
  maxReplicas: Type.Integer(),
  targetCPUUtilizationPercentage: Type.Integer(),
});

const Monitoring = Type.Object({
  serviceMonitor: Optional(Type.Object({ labels: Optional(Strings), interval: Type.String() })),
  prometheusRule: Optional(Type.Object({ labels: Optional(Strings) })),
});

const NetworkPolicy = Type.Object({
  enabled: Type.Boolean(),
  /** networking.k8s.io/v1 NetworkPolicyPeers that may reach proxy and dashboard; absent: everybody. */
  from: Optional(Type.Array(Opaque('A networking.k8s.io/v1 NetworkPolicyPeer.'))),
  /** Peers that may scrape the metrics ports; absent: everybody. */
  metricsFrom: Optional(Type.Array(Opaque('A networking.k8s.io/v1 NetworkPolicyPeer.'))),
});

/** `spec` as the API server hands it out: every default filled in. */
export const ClaudeNexusSpecSchema = Type.Object({
  images: Optional(Images),
  proxy: Proxy,
  dashboard: Dashboard,
  database: Database,
  domains: Optional(Type.Array(Domain)),
  ingress: Optional(Ingress),
  autoscaling: Optional(Autoscaling),
  monitoring: Optional(Monitoring),
  networkPolicy: NetworkPolicy,
});

export type ClaudeNexusSpec = Static<typeof ClaudeNexusSpecSchema>;
export type DomainSpec = Static<typeof Domain>;
export type ManagedDatabaseSpec = Static<typeof ManagedDatabase>;
