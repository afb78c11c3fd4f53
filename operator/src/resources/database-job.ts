import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { hashOf } from './hash.ts';
import { childName } from './names.ts';
import { NEXUS_USER, container, podTemplate } from './pod.ts';
import type { DatabaseJobInput } from './render-context.ts';

const LOGINS_MOUNT = '/etc/nexus/logins';
const LOGINS_KEY = 'logins.json';
const GROUP_READABLE = 0o440;
const REQUESTS = { cpu: '50m', memory: '128Mi' };
/** A migration may rewrite large tables; one that waits for a database gives up by itself long before. */
const DEADLINE_SECONDS = 14_400;
/** Few, because until then nobody is told of a migration that fails. Afterwards the operator tries it again itself. */
const RETRIES = 1;

/**
 * The Job that migrates and sets logins up. The template of a Job never changes, so what it holds beside the revision
 * (pull secrets, tolerations) is part of the name as well.
 */
export function databaseJob(owner: ClaudeNexus, input: DatabaseJobInput): KubeObject {
  const template = databasePod(owner, input);
  return child(
    {
      owner,
      kind: KINDS.Job,
      component: 'database',
      name: childName(owner.metadata.name, `database-${hashOf([input.revision, template])}`),
      annotations: { [ANNOTATIONS.attempt]: String(input.attempt) },
    },
    { spec: { backoffLimit: RETRIES, activeDeadlineSeconds: DEADLINE_SECONDS, template } },
  );
}

function databasePod(owner: ClaudeNexus, input: DatabaseJobInput): Record<string, unknown> {
  const logins = input.loginsSecret;
  return podTemplate({
    owner,
    component: 'database',
    serviceAccountName: childName(owner.metadata.name, 'proxy'),
    user: NEXUS_USER,
    scheduling: owner.spec.proxy.scheduling,
    extra: { restartPolicy: 'Never' },
    container: container({
      owner,
      name: 'database',
      image: input.image,
      command: ['node', 'scripts/prepare-database.ts'],
      env: {
        MIGRATION_DATABASE_URL: input.ownerUrl,
        ...(logins === undefined ? {} : { LOGINS_FILE: `${LOGINS_MOUNT}/${LOGINS_KEY}` }),
      },
      mounts: logins === undefined ? [] : [{ name: 'logins', mountPath: LOGINS_MOUNT, readOnly: true }],
      resources: { requests: REQUESTS },
    }),
    volumes: logins === undefined ? [] : [loginsVolume(logins)],
  });
}

function loginsVolume(secretName: string): Record<string, unknown> {
  return {
    name: 'logins',
    secret: {
      secretName,
      defaultMode: GROUP_READABLE,
      items: [{ key: LOGINS_KEY, path: LOGINS_KEY }],
    },
  };
}
