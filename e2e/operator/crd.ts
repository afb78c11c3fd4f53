import path from 'node:path';

import { at } from '../fixtures/control-plane/api.ts';
import { ROOT, until } from '../fixtures/program.ts';
import type { Cluster } from '../fixtures/control-plane/cluster.ts';

export const CRD_FILE = path.join(ROOT, 'crds/claudenexuses.claudenexus.dev.yaml');
export const CRD_PATH =
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/claudenexuses.claudenexus.dev';

/** The collection of ClaudeNexus resources of a namespace. */
export const resourcesPath = (namespace: string): string =>
  `/apis/claudenexus.dev/v1alpha1/namespaces/${namespace}/claudenexuses`;

/** Installs the CRD of crds/ as a user would, and waits until resources can be made. Safe to repeat. */
export async function installCrd(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['apply', '-f', CRD_FILE]);
  await cluster.kubectl([
    'wait',
    '--for=condition=Established',
    '--timeout=60s',
    `crd/claudenexuses.claudenexus.dev`,
  ]);
  // Established comes a moment before the API server serves the resource.
  await until('the API of ClaudeNexus', async () => {
    const answer = await cluster.api().request('GET', resourcesPath('default'));
    return answer.status === 200 ? true : undefined;
  });
}

/** A node of the schema the API server has. */
export type SchemaNode = Readonly<Record<string, unknown>>;

/** The schema of the resource, as the API server has it. */
export async function installedSchema(cluster: Cluster): Promise<SchemaNode> {
  const crd = await cluster.api().get(CRD_PATH);
  return at(crd, 'spec.versions.0.schema.openAPIV3Schema') as SchemaNode;
}

/** Every node below `node` with its path, such as `spec.domains[].host`. */
export function* walkSchema(node: SchemaNode, place = ''): Generator<readonly [string, SchemaNode]> {
  yield [place, node];
  const properties = (node['properties'] ?? {}) as Readonly<Record<string, SchemaNode>>;
  for (const [name, property] of Object.entries(properties)) {
    yield* walkSchema(property, place === '' ? name : `${place}.${name}`);
  }
  if (node['items'] !== undefined) yield* walkSchema(node['items'] as SchemaNode, `${place}[]`);
}
