import type { ClaudeNexusSpec } from '../api/v1alpha1/spec.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { childName } from './names.ts';
import { POSTGRES_DATABASE } from './postgres.ts';
import type { RenderContext } from './render-context.ts';

type CloudNativePgSpec = NonNullable<ClaudeNexusSpec['database']['cloudNativePG']>;

/** The cluster CloudNativePG runs for us; it makes the Secret `<name>-superuser` and the Service `<name>-rw`. */
export function cloudNativePgCluster({ owner }: RenderContext, wanted: CloudNativePgSpec): KubeObject {
  const { instances, imageName, storage, resources, deletionPolicy } = wanted;
  return child(
    {
      owner,
      kind: KINDS.Cluster,
      component: 'postgres',
      name: childName(owner.metadata.name, 'postgres'),
      // CloudNativePG deletes the volumes of a cluster with it: to keep them the cluster has to stay.
      owned: deletionPolicy === 'Delete',
    },
    {
      spec: {
        instances,
        imageName,
        enableSuperuserAccess: true,
        bootstrap: { initdb: { database: POSTGRES_DATABASE, owner: POSTGRES_DATABASE } },
        storage: { size: storage.size, storageClass: storage.storageClassName },
        resources,
      },
    },
  );
}
