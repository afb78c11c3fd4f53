import { Type } from 'typebox';

import { raw, rules } from './cel.ts';
import { httpUrl, logLevel, oneOf, resources, scheduling, secretKeyRef, service, size } from './fields.ts';

const Spool = Type.Object(
  {
    max: size(
      'Most that recordings may take while the database is away; beyond it they are dropped and counted.',
      {
        atLeast: '256Mi',
        default: '2Gi',
      },
    ),
    sizeLimit: size('Size limit of the emptyDir that holds the spool. Must be above `max`.', {
      atLeast: '256Mi',
      default: '3Gi',
    }),
  },
  {
    description: 'Recordings that wait in the pod until the database has them.',
    default: {},
    ...rules({
      // The API server tries rules on the default as it stands here, before the defaults inside it.
      rule: '!has(self.max) || !has(self.sizeLimit) || !isQuantity(self.max) || !isQuantity(self.sizeLimit) || quantity(self.sizeLimit).isGreaterThan(quantity(self.max))',
      message:
        'must be greater than spool.max, or the pod is evicted before the spool is full: raise sizeLimit or lower max',
      fieldPath: '.sizeLimit',
    }),
  },
);

export const ProxySpec = Type.Object(
  {
    replicas: Type.Integer({
      description: 'Pods of the proxy. Not used while `autoscaling` is set.',
      minimum: 0,
      maximum: 100,
      default: 1,
    }),
    upstreamUrl: httpUrl('Messages API to which requests are forwarded.', 'https://api.anthropic.com'),
    passthrough: oneOf(['deny', 'allow'], {
      description:
        "Hosts that are not among `domains`: allow forwards the client's own credential, deny refuses.",
      default: 'deny',
    }),
    clientAuth: Type.Boolean({
      description:
        'Ask for a client key on the hosts of `domains`; false lets everybody use their credential.',
      default: true,
    }),
    drainTimeoutSeconds: Type.Integer({
      description:
        'How long streams under way, and recordings to be stored, may go on after a pod is told to stop.',
      minimum: 0,
      maximum: 3600,
      default: 300,
    }),
    terminationGracePeriodSeconds: Type.Optional(
      Type.Integer({
        description:
          'After so long a pod that was told to stop is killed. drainTimeoutSeconds + 30 when absent, and never less.',
        minimum: 30,
        maximum: 7200,
      }),
    ),
    maxInflight: size(
      'Most that requests under way may hold in memory together, per pod; beyond it new requests get 503.',
      { atLeast: '64Mi', default: '512Mi' },
    ),
    logLevel,
    spool: Spool,
    resources: Type.Optional(resources("Compute resources of the proxy's pods.")),
    scheduling: Type.Optional(scheduling("Where the proxy's pods may run.")),
    service: Type.Optional(service("The proxy's Service, port 3000.")),
  },
  {
    description: 'The proxy, which clients use as their Messages API.',
    default: {},
    ...rules({
      rule: '!has(self.terminationGracePeriodSeconds) || self.terminationGracePeriodSeconds >= self.drainTimeoutSeconds + 30',
      message:
        'must be at least drainTimeoutSeconds + 30: raise it, lower drainTimeoutSeconds, or leave it out',
      fieldPath: '.terminationGracePeriodSeconds',
    }),
  },
);

const BASE_PATH = '^/([A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?)?$';

export const DashboardSpec = Type.Object(
  {
    replicas: Type.Integer({ description: 'Pods of the dashboard.', minimum: 0, maximum: 20, default: 1 }),
    basePath: Type.String({
      description: 'Path under which the dashboard is published.',
      maxLength: 256,
      default: '/',
      ...rules({
        rule: `self.matches(${raw(BASE_PATH)})`,
        message: 'must be a path of letters, digits and ._~- that starts with a slash, such as /nexus',
      }),
    }),
    logLevel,
    keySecretRef: Type.Optional(
      secretKeyRef('Key that opens the dashboard. Absent: one is generated into the Secret <name>-keys.'),
    ),
    resources: Type.Optional(resources("Compute resources of the dashboard's pods.")),
    scheduling: Type.Optional(scheduling("Where the dashboard's pods may run.")),
    service: Type.Optional(service("The dashboard's Service, port 3001.")),
  },
  { description: 'The dashboard, in which recordings are read.', default: {} },
);
