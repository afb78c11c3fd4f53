import { Type } from 'typebox';
import type { Static } from 'typebox';

import { raw, rules } from './cel.ts';
import { DatabaseSpec } from './database-spec.ts';
import {
  image,
  INGRESS_HOST,
  objectName,
  oneOf,
  opaque,
  secretKeyRef,
  secretRef,
  stringMap,
} from './fields.ts';
import { DashboardSpec, ProxySpec } from './proxy-spec.ts';

/*
 * The one source of the resource's fields: crds/claudenexuses.claudenexus.dev.yaml and the types come from here.
 * Structural schemas know no `$ref` and no closed objects: the API server drops unknown fields itself.
 */

const mapBy = (key: string) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });

const LABEL_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._@:+ -]*$';
/** A Secret's key of 253 characters less `.credentials.json`. */
const MAX_HOST = 236;
const HOST_LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST_NAME = `^${HOST_LABEL}(\\.${HOST_LABEL})*$`;
const SEGMENT = '\\.*[A-Za-z0-9_~-][A-Za-z0-9._~-]*';
/** Paths as a credential file takes them: no empty, `.` or `..` segment, and `*` only as the last one. */
const ALLOWED_PATH = `^/v1((/${SEGMENT})+(/[*])?|/[*])$`;

/** As the proxy reads a Host header: what ends in a number is an address, and an address has one spelling. */
const HOST_RULE = [
  `self.matches(${raw('^\\[.+\\]$')})`,
  '? isIP(self.substring(1, self.size() - 1)) && ip.isCanonical(self.substring(1, self.size() - 1))',
  '&& ip(self.substring(1, self.size() - 1)).family() == 6',
  `: self.matches(${raw('(^|\\.)[0-9]+$')}) ? isIP(self) && ip(self).family() == 4`,
  `: self.matches(${raw(HOST_NAME)})`,
].join(' ');

const Images = Type.Object(
  {
    proxy: Type.Optional(image('Image of the proxy; also runs the migrations.')),
    dashboard: Type.Optional(image('Image of the dashboard.')),
    postgres: Type.Optional(
      image(
        'Repository of the managed PostgreSQL, without tag: the tag is database.managed.version. Must behave as the official image.',
      ),
    ),
    pullPolicy: Type.Optional(
      oneOf(['Always', 'IfNotPresent', 'Never'], { description: 'When images are pulled.' }),
    ),
    pullSecrets: Type.Optional(
      Type.Array(secretRef('A Secret of type kubernetes.io/dockerconfigjson.'), {
        description: 'Secrets that open the registries of the images.',
        maxItems: 16,
        ...mapBy('name'),
      }),
    ),
  },
  { description: "Images that replace the operator's defaults." },
);

const ClientKey = Type.Object(
  {
    name: Type.String({
      description: 'Who holds the key; usage is counted under this name.',
      minLength: 1,
      maxLength: 128,
      pattern: LABEL_PATTERN,
    }),
    secretRef: secretKeyRef('The key itself, at least 8 characters.'),
  },
  { description: 'A key with which a person or a team reaches the host.' },
);

const Domain = Type.Object(
  {
    host: Type.String({
      description:
        'The Host header without port: a lower-case host name, an IPv4 or a bracketed IPv6 address.',
      minLength: 1,
      maxLength: MAX_HOST,
      ...rules({
        rule: HOST_RULE,
        message:
          'must be a lower-case host name, an IPv4 address or a bracketed IPv6 address in its shortest form, without scheme, port and path, such as claude.example.com',
      }),
    }),
    accountId: Type.Optional(
      Type.String({
        description: 'Name under which usage is counted; the host when absent.',
        minLength: 1,
        maxLength: 128,
        pattern: LABEL_PATTERN,
      }),
    ),
    credential: Type.Object(
      { secretRef: secretKeyRef('Secret and key that hold the API key.') },
      { description: 'What the proxy sends upstream in place of a client key.' },
    ),
    clientKeys: Type.Optional(
      Type.Array(ClientKey, {
        description:
          'Keys that open the host. Absent or empty: one named default is generated into the Secret <name>-client-keys.',
        maxItems: 100,
        ...mapBy('name'),
      }),
    ),
    allowedPaths: Type.Optional(
      Type.Array(
        Type.String({
          description: 'A path as /v1/files, or a folder as /v1/files/*.',
          maxLength: 256,
          ...rules({
            rule: `self.matches(${raw(ALLOWED_PATH)})`,
            message:
              'must be a plain path below /v1 such as /v1/files, or a folder such as /v1/files/*; no empty, . or .. segment',
          }),
        }),
        {
          description: 'Paths that are forwarded besides the Messages API.',
          maxItems: 32,
          'x-kubernetes-list-type': 'set',
        },
      ),
    ),
  },
  { description: 'A host under which clients reach the proxy, and the credential it uses for them.' },
);

const ingressHost = (description: string) =>
  Type.Object(
    {
      host: Type.String({
        description: 'A host name; a leading *. matches one label.',
        minLength: 1,
        maxLength: 253,
        ...rules({
          rule: `self.matches(${raw(INGRESS_HOST)}) && !self.matches(${raw('(^|\\.)[0-9]+$')})`,
          message:
            'must be a lower-case host name without port, such as claude.example.com; an Ingress takes no address',
        }),
      }),
      tlsSecretName: Type.Optional(objectName('Secret of type kubernetes.io/tls; no TLS when absent.')),
    },
    { description },
  );

const Ingress = Type.Object(
  {
    className: Type.Optional(objectName('IngressClass; the default of the cluster when absent.')),
    annotations: Type.Optional(stringMap('Annotations of the Ingresses, such as those of the controller.')),
    proxy: Type.Optional(
      Type.Array(ingressHost('A host that leads to the proxy.'), {
        description: 'Hosts that lead to the proxy. Absent: the hosts of `domains`, without TLS.',
        maxItems: 100,
        ...mapBy('host'),
      }),
    ),
    dashboard: Type.Optional(
      ingressHost('Host that leads to the dashboard. Absent: the dashboard gets no Ingress.'),
    ),
  },
  { description: 'Publishes proxy and dashboard through an Ingress controller. No Ingress when absent.' },
);

const Autoscaling = Type.Object(
  {
    minReplicas: Type.Integer({ description: 'Fewest pods.', minimum: 1, maximum: 100, default: 2 }),
    maxReplicas: Type.Integer({ description: 'Most pods.', minimum: 1, maximum: 100, default: 5 }),
    targetCPUUtilizationPercentage: Type.Integer({
      description: 'Mean CPU use, in percent of what the pods request, at which pods are added.',
      minimum: 1,
      maximum: 100,
      default: 70,
    }),
  },
  {
    description:
      'Scales the proxy by CPU use, in place of proxy.replicas. Needs the metrics API in the cluster.',
    ...rules({
      rule: 'self.minReplicas <= self.maxReplicas',
      message: 'may not exceed maxReplicas: lower minReplicas or raise maxReplicas',
      fieldPath: '.minReplicas',
    }),
  },
);

const Monitoring = Type.Object(
  {
    serviceMonitor: Type.Optional(
      Type.Object(
        {
          labels: Type.Optional(stringMap('Labels by which Prometheus selects the ServiceMonitors.')),
          interval: Type.String({
            description: 'Time between two scrapes.',
            maxLength: 16,
            pattern: '^[1-9][0-9]*(ms|s|m|h)$',
            default: '30s',
          }),
        },
        { description: 'ServiceMonitors for proxy and dashboard.' },
      ),
    ),
    prometheusRule: Type.Optional(
      Type.Object(
        { labels: Type.Optional(stringMap('Labels by which Prometheus selects the PrometheusRule.')) },
        { description: 'Alerts as a PrometheusRule.' },
      ),
    ),
  },
  { description: 'Objects for the Prometheus operator. Without effect where it is not installed.' },
);

const peers = (description: string) =>
  Type.Array(opaque('A networking.k8s.io/v1 NetworkPolicyPeer.'), { description, maxItems: 32 });

const NetworkPolicy = Type.Object(
  {
    enabled: Type.Boolean({ description: 'Whether NetworkPolicies are made.', default: true }),
    from: Type.Optional(peers('Who may reach proxy and dashboard; everybody when absent.')),
    metricsFrom: Type.Optional(peers('Who may read the metrics; everybody when absent.')),
  },
  { description: 'Who may talk to the pods.', default: {} },
);

/** CEL: none of the list has the host of the dashboard. */
const apartFrom = (list: string) => `${list}.all(other, other.host != self.ingress.dashboard.host)`;

/** `spec` as the API server hands it out: every default filled in. */
export const ClaudeNexusSpecSchema = Type.Object(
  {
    images: Type.Optional(Images),
    proxy: ProxySpec,
    dashboard: DashboardSpec,
    database: DatabaseSpec,
    domains: Type.Optional(
      Type.Array(Domain, {
        description: 'Hosts the proxy has credentials for. Each host once.',
        maxItems: 100,
        ...mapBy('host'),
      }),
    ),
    ingress: Type.Optional(Ingress),
    autoscaling: Type.Optional(Autoscaling),
    monitoring: Type.Optional(Monitoring),
    networkPolicy: NetworkPolicy,
  },
  {
    description: 'What is wanted. Every field has a default, or may be left out.',
    default: {},
    ...rules(
      {
        rule: '!has(self.autoscaling) || self.proxy.replicas <= self.autoscaling.maxReplicas',
        message: 'may not exceed autoscaling.maxReplicas: lower proxy.replicas or raise maxReplicas',
        fieldPath: '.proxy.replicas',
      },
      {
        rule: `!has(self.ingress) || has(self.ingress.proxy) || !has(self.domains) || self.domains.all(domain, domain.host.matches(${raw(INGRESS_HOST)}) && !domain.host.matches(${raw('(^|\\.)[0-9]+$')}))`,
        message:
          'must list its hosts in ingress.proxy: an Ingress takes host names only, and one of domains is an address or has an underscore',
        fieldPath: '.ingress',
      },
      {
        rule: `!has(self.ingress) || !has(self.ingress.dashboard) || self.dashboard.basePath != '/' || (has(self.ingress.proxy) ? ${apartFrom('self.ingress.proxy')} : !has(self.domains) || ${apartFrom('self.domains')})`,
        message:
          'needs another host than the proxy has, or a dashboard.basePath such as /nexus: one host cannot lead to both at /',
        fieldPath: '.ingress.dashboard',
      },
    ),
  },
);

export type ClaudeNexusSpec = Static<typeof ClaudeNexusSpecSchema>;
export type DomainSpec = Static<typeof Domain>;
export type ManagedDatabaseSpec = NonNullable<ClaudeNexusSpec['database']['managed']>;
