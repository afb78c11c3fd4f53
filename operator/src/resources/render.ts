import type { KubeObject } from '../kube/object.ts';
import { autoscalers, disruptionBudgets } from './availability.ts';
import { backup } from './backup.ts';
import { cloudNativePgCluster } from './cloud-native-pg.ts';
import { dashboardDeployment } from './dashboard.ts';
import { databaseJob } from './database-job.ts';
import { ingresses } from './ingresses.ts';
import { monitors } from './monitoring.ts';
import { networkPolicies } from './network-policies.ts';
import { postgresSet } from './postgres.ts';
import { proxyDeployment } from './proxy.ts';
import type { RenderContext } from './render-context.ts';
import { restoreJob } from './restore.ts';
import { derivedSecrets } from './secrets.ts';
import { serviceAccounts, services } from './services.ts';

/**
 * All children that are applied, in the order to apply: what pods need comes before the pods. Generated Secrets are not
 * among them: those are made once and never applied.
 */
export function render(context: RenderContext): KubeObject[] {
  return [
    ...derivedSecrets(context),
    ...serviceAccounts(context),
    ...services(context),
    ...networkPolicies(context),
    ...database(context),
    proxyDeployment(context),
    dashboardDeployment(context),
    ...disruptionBudgets(context),
    ...autoscalers(context),
    ...ingresses(context),
    ...monitors(context),
  ];
}

function database(context: RenderContext): KubeObject[] {
  const { owner, has, databaseJob: job } = context;
  const { managed, cloudNativePG } = owner.spec.database;
  const restore = restoreJob(context);
  return [
    ...(managed === undefined ? [] : [postgresSet(context, managed), ...backup(context, managed)]),
    ...(cloudNativePG === undefined || !has.cloudNativePG
      ? []
      : [cloudNativePgCluster(context, cloudNativePG)]),
    ...(restore === undefined ? [] : [restore]),
    ...(job === undefined ? [] : [databaseJob(owner, job)]),
  ];
}
