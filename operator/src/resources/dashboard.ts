import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { DASHBOARD_METRICS_PORT, DASHBOARD_PORT, proxyUrl } from './addresses.ts';
import { child } from './child.ts';
import { childName, selectorLabels } from './names.ts';
import {
  NEXUS_USER,
  SLEEP_BEFORE_STOP,
  container,
  healthProbes,
  podTemplate,
  spreadOverNodes,
  withDefaultRequests,
} from './pod.ts';
import type { RenderContext } from './render-context.ts';

const GRACE_SECONDS = 30;
const DEFAULT_REQUESTS = { cpu: '50m', memory: '192Mi' };

/** Deployment of the dashboard. */
export function dashboardDeployment(context: RenderContext): KubeObject {
  const { owner, checksums } = context;
  const { replicas, scheduling } = owner.spec.dashboard;
  const name = childName(owner.metadata.name, 'dashboard');
  return child(
    { owner, kind: KINDS.Deployment, component: 'dashboard', name },
    {
      spec: {
        replicas,
        revisionHistoryLimit: 3,
        selector: { matchLabels: selectorLabels(owner, 'dashboard') },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: podTemplate({
          owner,
          component: 'dashboard',
          serviceAccountName: name,
          user: NEXUS_USER,
          scheduling,
          annotations: { [ANNOTATIONS.checksum]: checksums.dashboard },
          extra: {
            terminationGracePeriodSeconds: GRACE_SECONDS,
            topologySpreadConstraints: spreadOverNodes(owner, 'dashboard', scheduling),
          },
          container: dashboardContainer(context),
          volumes: [],
        }),
      },
    },
  );
}

function dashboardContainer(context: RenderContext): Record<string, unknown> {
  const { owner, dashboardImage } = context;
  const { basePath, logLevel, resources } = owner.spec.dashboard;
  return container({
    owner,
    name: 'dashboard',
    image: dashboardImage,
    command: ['node', 'services/dashboard/src/main.ts'],
    env: {
      PORT: String(DASHBOARD_PORT),
      METRICS_PORT: String(DASHBOARD_METRICS_PORT),
      DATABASE_URL: context.dashboardDatabaseUrl,
      DASHBOARD_API_KEY: context.dashboardKey,
      PROXY_API_URL: proxyUrl(owner),
      BASE_PATH: basePath,
      LOG_LEVEL: logLevel,
    },
    mounts: [],
    resources: withDefaultRequests(resources, DEFAULT_REQUESTS),
    extra: {
      ports: [
        { name: 'http', containerPort: DASHBOARD_PORT, protocol: 'TCP' },
        { name: 'metrics', containerPort: DASHBOARD_METRICS_PORT, protocol: 'TCP' },
      ],
      // Until the first migration is through it ends and is started again.
      ...healthProbes({ port: 'http', startSeconds: 60 }),
      lifecycle: SLEEP_BEFORE_STOP,
    },
  });
}
