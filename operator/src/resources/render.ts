import type { KubeObject } from '../kube/object.ts';
import { dashboardDeployment } from './dashboard.ts';
import { databaseJob } from './database-job.ts';
import { postgresSet } from './postgres.ts';
import { proxyDeployment } from './proxy.ts';
import type { RenderContext } from './render-context.ts';
import { derivedSecrets } from './secrets.ts';
import { serviceAccounts, services } from './services.ts';

/** All children that are applied, in the order to apply: what pods need comes before the pods. */
export function render(context: RenderContext): KubeObject[] {
  return [
    ...derivedSecrets(context),
    ...serviceAccounts(context),
    ...services(context),
    ...database(context),
    proxyDeployment(context),
    dashboardDeployment(context),
  ];
}

function database(context: RenderContext): KubeObject[] {
  const { owner, databaseJob: job } = context;
  const { managed } = owner.spec.database;
  return [
    ...(managed === undefined ? [] : [postgresSet(context, managed)]),
    ...(job === undefined ? [] : [databaseJob(owner, job)]),
  ];
}
