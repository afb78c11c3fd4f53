import { at } from '../fixtures/control-plane/api.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';

type Json = Record<string, unknown>;

export interface CanonicalOptions {
  readonly namespace: string;
  /** An autoscaler sets the replicas of the proxy. */
  readonly scaled: boolean;
}

/** Jobs are named by a digest that covers generated logins. */
export const canonicalName = (name: string): string =>
  name.replace(/-(database|restore)-[0-9a-f]{8}$/, '-$1-*');

/** Members that differ between two installs of the same spec. */
const OF_ONE_OBJECT = [
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'namespace',
  'name',
];
const OF_CONTROLLERS =
  /^(deployment\.kubernetes\.io\/|pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/|(batch\.kubernetes\.io\/)?(controller-uid|job-name)$)/;

/** `Kind/name` and the object without what differs between two installs of the same spec. */
export function canonical(child: TestObject, { namespace, scaled }: CanonicalOptions): [string, unknown] {
  const { status: _, ...copy } = structuredClone(child) as unknown as Json & { status?: unknown };
  const metadata = copy['metadata'] as Json;
  for (const field of OF_ONE_OBJECT) Reflect.deleteProperty(metadata, field);
  const owners = (metadata['ownerReferences'] ?? []) as Json[];
  for (const owner of owners) owner['uid'] = '*';
  withoutGenerated(copy, child, scaled);
  const key = `${child.kind}/${canonicalName(child.metadata.name)}`;
  const text = JSON.stringify(sorted(copy))
    .replaceAll(namespace, 'NAMESPACE')
    .replaceAll(/-(database|restore)-[0-9a-f]{8}"/g, '-$1-*"');
  return [key, JSON.parse(text)];
}

function withoutGenerated(copy: Json, child: TestObject, scaled: boolean): void {
  const spec = (copy['spec'] ?? {}) as Json;
  tidyMetadata(copy['metadata'] as Json);
  tidyMetadata(at(spec, 'template.metadata') as Json | undefined);
  tidyMetadata(at(spec, 'jobTemplate.spec.template.metadata') as Json | undefined);
  switch (child.kind) {
    case 'Secret':
      copy['data'] = contents((child['data'] ?? {}) as Readonly<Record<string, string>>);
      break;
    case 'Service':
      for (const field of ['clusterIP', 'clusterIPs', 'healthCheckNodePort']) {
        if (at(spec, 'clusterIP') !== 'None') Reflect.deleteProperty(spec, field);
      }
      for (const port of (spec['ports'] ?? []) as Json[]) Reflect.deleteProperty(port, 'nodePort');
      break;
    case 'Job':
      Reflect.deleteProperty(spec, 'selector');
      break;
    case 'PersistentVolumeClaim':
      Reflect.deleteProperty(spec, 'volumeName');
      break;
    case 'Deployment':
      if (scaled && child.metadata.name.endsWith('-proxy')) Reflect.deleteProperty(spec, 'replicas');
      break;
    default:
  }
}

function tidyMetadata(metadata: Json | undefined): void {
  if (metadata === undefined) return;
  for (const place of ['annotations', 'labels']) {
    const entries = Object.entries((metadata[place] ?? {}) as Readonly<Record<string, string>>)
      .filter(([name]) => !OF_CONTROLLERS.test(name))
      // A digest under a generated key: there or not is all that can be compared.
      .map(([name, value]) => [name, name === 'claudenexus.dev/checksum' ? '*' : value] as const);
    if (entries.length === 0) Reflect.deleteProperty(metadata, place);
    else metadata[place] = Object.fromEntries(entries);
  }
}

/** Which keys a Secret has; of a credential file what is not generated. */
function contents(data: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      key.endsWith('.credentials.json') ? credentialFile(value) : value === '' ? 'empty' : 'there',
    ]),
  );
}

function credentialFile(value: string): unknown {
  const file = JSON.parse(Buffer.from(value, 'base64').toString()) as Json;
  const keys = (file['client_keys'] ?? []) as readonly Json[];
  // Of a domain without keys of its own one is generated, under this name.
  return { ...file, client_keys: keys.map((key) => (key['name'] === 'default' ? 'default' : key)) };
}

/** Members in the order of their names, so that two texts are equal when the objects are. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
