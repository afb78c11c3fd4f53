import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { hashOf } from './hash.ts';
import { RESTORE_SCRIPT } from './database-scripts.ts';
import { toolPod } from './database-tools.ts';
import type { ToolContext } from './database-tools.ts';
import { childName } from './names.ts';
import type { RenderContext } from './render-context.ts';

const DEADLINE_SECONDS = 43_200;

/**
 * The Job that fills an empty database from a dump, if one is wanted. It finds a schema and ends well when there is
 * nothing to do; its name says what is restored with what, since the template of a Job never changes.
 */
export function restoreJob(
  context: ToolContext & Pick<RenderContext, 'restoreAttempt'>,
): KubeObject | undefined {
  const { owner, restoreAttempt } = context;
  const wanted = owner.spec.database.managed?.restore;
  if (wanted === undefined) return undefined;
  const template = toolPod(context, {
    component: 'restore',
    script: RESTORE_SCRIPT,
    env: { RESTORE_FILE: wanted.file },
    claimName: wanted.claimName,
    readOnly: true,
  });
  return child(
    {
      owner,
      kind: KINDS.Job,
      component: 'restore',
      name: childName(owner.metadata.name, `restore-${hashOf(template)}`),
      annotations: { [ANNOTATIONS.attempt]: String(restoreAttempt) },
    },
    { spec: { backoffLimit: 6, activeDeadlineSeconds: DEADLINE_SECONDS, template } },
  );
}
