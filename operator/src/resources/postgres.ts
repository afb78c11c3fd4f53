import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import type { ManagedDatabaseSpec } from '../api/v1alpha1/spec.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { POSTGRES_PORT } from './addresses.ts';
import { child } from './child.ts';
import { postgresImage } from './images.ts';
import { childLabels, childName, selectorLabels } from './names.ts';
import { POSTGRES_USER, container, podTemplate, withDefaultRequests } from './pod.ts';
import type { RenderContext } from './render-context.ts';

/** Login of the database Job, of dumps and restores. */
export const POSTGRES_SUPERUSER = 'postgres';
export const POSTGRES_DATABASE = 'nexus';
/** Name of the claim template: the claim is `data-<set>-0`. */
const DATA = 'data';
/**
 * Outside /var/lib/postgresql: the images declare a volume there, or below it, by version, and a container runtime would
 * put an empty one of its own over ours.
 */
const DATA_MOUNT = '/data';
const PASSWORD_MOUNT = '/etc/nexus/postgres';
const SOCKET_DIR = '/var/run/postgresql';
const GROUP_READABLE = 0o440;
/** A fast shutdown writes a checkpoint; killed earlier it would recover at the next start. */
const GRACE_SECONDS = 120;
const DEFAULT_REQUESTS = { cpu: '100m', memory: '256Mi' };

/** StatefulSet of the PostgreSQL the operator runs itself. */
export function postgresSet(context: RenderContext, managed: ManagedDatabaseSpec): KubeObject {
  const { owner, postgresStorage } = context;
  const name = childName(owner.metadata.name, 'postgres');
  const { deletionPolicy, storage } = managed;
  // The claim gets it from its template: whatever image comes later, the data says which version wrote it.
  const annotations = { [ANNOTATIONS.postgresVersion]: String(context.postgresVersion) };
  return child(
    { owner, kind: KINDS.StatefulSet, component: 'postgres', name, annotations },
    {
      spec: {
        replicas: 1,
        revisionHistoryLimit: 3,
        serviceName: name,
        selector: { matchLabels: selectorLabels(owner, 'postgres') },
        // The other policy would wait for ever for a pod that cannot start, before it makes the one that could.
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate' },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: deletionPolicy, whenScaled: 'Retain' },
        template: postgresPod(context, managed),
        volumeClaimTemplates: [
          {
            metadata: { name: DATA, labels: childLabels(owner, 'postgres'), annotations },
            spec: {
              accessModes: ['ReadWriteOnce'],
              resources: { requests: { storage: postgresStorage } },
              storageClassName: storage.storageClassName,
            },
          },
        ],
      },
    },
  );
}

/** Name of the claim that holds the data of the managed PostgreSQL. */
export function postgresClaimName(ownerName: string): string {
  return `${DATA}-${childName(ownerName, 'postgres')}-0`;
}

function postgresPod(context: RenderContext, managed: ManagedDatabaseSpec): Record<string, unknown> {
  const { owner, postgresPassword } = context;
  return podTemplate({
    owner,
    component: 'postgres',
    serviceAccountName: childName(owner.metadata.name, 'postgres'),
    user: POSTGRES_USER,
    scheduling: managed.scheduling,
    extra: { terminationGracePeriodSeconds: GRACE_SECONDS },
    container: postgresContainer(context, managed),
    volumes: [
      { name: 'run', emptyDir: {} },
      // The runtime's default of 64 MB ends parallel queries; counts as memory of the pod.
      { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } },
      {
        name: 'password',
        secret: {
          secretName: postgresPassword.secret,
          defaultMode: GROUP_READABLE,
          items: [{ key: postgresPassword.key, path: 'password' }],
        },
      },
    ],
  });
}

function postgresContainer(context: RenderContext, managed: ManagedDatabaseSpec): Record<string, unknown> {
  const isReady = ['pg_isready', '-q', '-h', '127.0.0.1', '-U', POSTGRES_SUPERUSER, '-d', POSTGRES_DATABASE];
  const probe = { exec: { command: isReady }, periodSeconds: 10, timeoutSeconds: 5 };
  return container({
    owner: context.owner,
    name: 'postgres',
    image: postgresImage(context),
    env: {
      PGDATA: `${DATA_MOUNT}/pgdata`,
      POSTGRES_DB: POSTGRES_DATABASE,
      POSTGRES_USER: POSTGRES_SUPERUSER,
      POSTGRES_PASSWORD_FILE: `${PASSWORD_MOUNT}/password`,
      // C.UTF-8 sorts by code point: an image with another C library leaves no index in the wrong order.
      POSTGRES_INITDB_ARGS: '--auth=scram-sha-256 --data-checksums --encoding=UTF8 --locale=C.UTF-8',
    },
    mounts: [
      { name: DATA, mountPath: DATA_MOUNT },
      { name: 'run', mountPath: SOCKET_DIR },
      { name: 'shm', mountPath: '/dev/shm' },
      { name: 'password', mountPath: PASSWORD_MOUNT, readOnly: true },
    ],
    resources: withDefaultRequests(managed.resources, DEFAULT_REQUESTS),
    extra: {
      ports: [{ name: 'postgres', containerPort: POSTGRES_PORT, protocol: 'TCP' }],
      // Recovery after a crash may take long; a server in recovery must not be killed.
      startupProbe: { ...probe, periodSeconds: 5, failureThreshold: 720 },
      livenessProbe: { ...probe, failureThreshold: 6 },
      readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 2 },
    },
  });
}
