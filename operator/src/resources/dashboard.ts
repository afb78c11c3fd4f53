import type { KubeObject } from '../kube/object.ts';
import { DASHBOARD_METRICS_PORT, DASHBOARD_PORT, proxyUrl } from './addresses.ts';
import { SLEEP_BEFORE_STOP, container, healthProbes, withDefaultRequests } from './pod.ts';
import type { RenderContext } from './render-context.ts';
import { serviceDeployment } from './service-deployment.ts';

const GRACE_SECONDS = 30;
const DEFAULT_REQUESTS = { cpu: '50m', memory: '192Mi' };

/** Deployment of the dashboard. */
export function dashboardDeployment(context: RenderContext): KubeObject {
  const { replicas, scheduling } = context.owner.spec.dashboard;
  return serviceDeployment(context, {
    component: 'dashboard',
    replicas,
    scheduling,
    graceSeconds: GRACE_SECONDS,
    container: dashboardContainer(context),
  });
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
