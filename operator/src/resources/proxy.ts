import type { KubeObject } from '../kube/object.ts';
import { PROXY_METRICS_PORT, PROXY_PORT } from './addresses.ts';
import { SLEEP_BEFORE_STOP, container, healthProbes, withDefaultRequests } from './pod.ts';
import type { SecretKey } from './pod.ts';
import { bytesOf } from './quantity.ts';
import type { RenderContext } from './render-context.ts';
import { credentialFileName, credentialPath } from './secrets.ts';
import { serviceDeployment } from './service-deployment.ts';

const SPOOL_DIR = '/var/spool/nexus';
const CREDENTIALS_DIR = '/etc/nexus/credentials';
/** Owner and group may read: the group is the pod's fsGroup. */
const GROUP_READABLE = 0o440;
/** What a pod may take to end after its streams have: ship the spool, close. */
const GRACE_AFTER_DRAIN_SECONDS = 30;
const DEFAULT_REQUESTS = { cpu: '100m', memory: '384Mi' };

/** Deployment of the proxy. */
export function proxyDeployment(context: RenderContext): KubeObject {
  const { scheduling, drainTimeoutSeconds, terminationGracePeriodSeconds, spool } = context.owner.spec.proxy;
  return serviceDeployment(context, {
    component: 'proxy',
    replicas: context.proxyReplicas,
    scheduling,
    graceSeconds: terminationGracePeriodSeconds ?? drainTimeoutSeconds + GRACE_AFTER_DRAIN_SECONDS,
    container: proxyContainer(context),
    volumes: [{ name: 'spool', emptyDir: { sizeLimit: spool.sizeLimit } }, credentialsVolume(context)],
  });
}

function proxyContainer(context: RenderContext): Record<string, unknown> {
  const { owner, proxyImage } = context;
  return container({
    owner,
    name: 'proxy',
    image: proxyImage,
    command: ['node', 'services/proxy/src/main.ts'],
    env: proxyEnvironment(context),
    mounts: [
      { name: 'spool', mountPath: SPOOL_DIR },
      { name: 'credentials', mountPath: CREDENTIALS_DIR, readOnly: true },
    ],
    resources: withDefaultRequests(owner.spec.proxy.resources, DEFAULT_REQUESTS),
    extra: {
      ports: [
        { name: 'http', containerPort: PROXY_PORT, protocol: 'TCP' },
        { name: 'metrics', containerPort: PROXY_METRICS_PORT, protocol: 'TCP' },
      ],
      ...healthProbes({ port: 'http', startSeconds: 120 }),
      lifecycle: SLEEP_BEFORE_STOP,
    },
  });
}

function proxyEnvironment(context: RenderContext): Record<string, string | SecretKey> {
  const { proxy } = context.owner.spec;
  return {
    PORT: String(PROXY_PORT),
    METRICS_PORT: String(PROXY_METRICS_PORT),
    DATABASE_URL: context.proxyDatabaseUrl,
    ACCOUNT_HASH_KEY: context.accountHashKey,
    CREDENTIALS_DIR,
    SPOOL_DIR,
    SPOOL_MAX_BYTES: String(bytesOf(proxy.spool.max)),
    // The volume goes with the pod, so the proxy ships what it holds before it ends.
    SPOOL_DURABLE: 'false',
    PASSTHROUGH: proxy.passthrough,
    ENABLE_CLIENT_AUTH: String(proxy.clientAuth),
    CLAUDE_API_BASE_URL: proxy.upstreamUrl,
    DRAIN_TIMEOUT: `${proxy.drainTimeoutSeconds}s`,
    MAX_INFLIGHT_BYTES: String(bytesOf(proxy.maxInflight)),
    LOG_LEVEL: proxy.logLevel,
  };
}

/** All credential files in one folder. A changed file reaches running pods; another set of files is another template. */
function credentialsVolume({ domainSecrets }: RenderContext): Record<string, unknown> {
  if (domainSecrets.length === 0) return { name: 'credentials', emptyDir: {} };
  const sources = domainSecrets
    .toSorted((a, b) => (a.host < b.host ? -1 : 1))
    .map(({ host, name }) => ({
      secret: {
        name,
        items: [{ key: credentialFileName(host), path: credentialPath(host) }],
        optional: false,
      },
    }));
  return { name: 'credentials', projected: { defaultMode: GROUP_READABLE, sources } };
}
