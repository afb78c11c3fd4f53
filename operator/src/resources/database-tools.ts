import { postgresHost } from './addresses.ts';
import { postgresImage } from './images.ts';
import { childName } from './names.ts';
import { POSTGRES_USER, container, podTemplate } from './pod.ts';
import type { SecretKey } from './pod.ts';
import { BACKUP_DIR } from './database-scripts.ts';
import { POSTGRES_DATABASE, POSTGRES_SUPERUSER } from './postgres.ts';
import type { RenderContext } from './render-context.ts';

/** What a pod with the tools of PostgreSQL depends on. */
export type ToolContext = Pick<RenderContext, 'owner' | 'images' | 'postgresVersion' | 'postgresPassword'>;

export interface ToolOptions {
  readonly component: 'backup' | 'restore';
  readonly script: string;
  readonly env: Readonly<Record<string, string | SecretKey>>;
  /** Claim with the dumps, mounted at BACKUP_DIR. */
  readonly claimName: string;
  readonly readOnly: boolean;
}

const REQUESTS = { cpu: '50m', memory: '128Mi' };

/** Pod that runs a shell program with the tools of the managed PostgreSQL's version, as its superuser. */
export function toolPod(context: ToolContext, options: ToolOptions): Record<string, unknown> {
  const { owner, postgresPassword } = context;
  const { component, script, env, claimName, readOnly } = options;
  return podTemplate({
    owner,
    component,
    serviceAccountName: childName(owner.metadata.name, 'postgres'),
    user: POSTGRES_USER,
    scheduling: owner.spec.database.managed?.scheduling,
    extra: { restartPolicy: 'Never' },
    container: container({
      owner,
      name: component,
      image: postgresImage(context),
      command: ['sh', '-c'],
      args: [script],
      env: {
        PGHOST: postgresHost(owner),
        PGUSER: POSTGRES_SUPERUSER,
        PGPASSWORD: postgresPassword,
        PGDATABASE: POSTGRES_DATABASE,
        ...env,
      },
      mounts: [{ name: 'backup', mountPath: BACKUP_DIR, ...(readOnly ? { readOnly } : {}) }],
      resources: { requests: REQUESTS },
    }),
    volumes: [{ name: 'backup', persistentVolumeClaim: { claimName } }],
  });
}
