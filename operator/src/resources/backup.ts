import type { ManagedDatabaseSpec } from '../api/v1alpha1/spec.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { BACKUP_SCRIPT } from './database-scripts.ts';
import { toolPod } from './database-tools.ts';
import { childName } from './names.ts';
import type { RenderContext } from './render-context.ts';

const DEADLINE_SECONDS = 21_600;
/** A dump that could not begin in time, because the control plane was away, is still made for so long. */
const STARTING_DEADLINE_SECONDS = 3600;

/** The claim the dumps are kept in, and the CronJob that writes them. */
export function backup(context: RenderContext, managed: ManagedDatabaseSpec): KubeObject[] {
  const { owner } = context;
  const wanted = managed.backup;
  if (wanted === undefined) return [];
  const name = childName(owner.metadata.name, 'backup');
  const { storageClassName } = wanted.storage;
  const template = toolPod(context, {
    component: 'backup',
    script: BACKUP_SCRIPT,
    env: { KEEP: String(wanted.keep) },
    claimName: name,
    readOnly: false,
  });
  return [
    child(
      {
        owner,
        kind: KINDS.PersistentVolumeClaim,
        component: 'backup',
        name,
        owned: managed.deletionPolicy === 'Delete',
      },
      {
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: context.backupStorage } },
          storageClassName,
        },
      },
    ),
    child(
      { owner, kind: KINDS.CronJob, component: 'backup', name },
      {
        spec: {
          schedule: wanted.schedule,
          timeZone: 'Etc/UTC',
          suspend: wanted.suspend,
          // Two at once would take each other's unfinished file away.
          concurrencyPolicy: 'Forbid',
          startingDeadlineSeconds: STARTING_DEADLINE_SECONDS,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 2,
          jobTemplate: { spec: { backoffLimit: 2, activeDeadlineSeconds: DEADLINE_SECONDS, template } },
        },
      },
    ),
  ];
}
