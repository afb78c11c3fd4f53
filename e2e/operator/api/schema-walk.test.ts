import path from 'node:path';

import { describe, expect, test } from 'vitest';

import { installCrd, installedSchema, resourcesPath, walkSchema } from '../crd.ts';
import { setUp } from '../set-up.ts';
import { at } from '../../fixtures/control-plane/api.ts';
import { ROOT } from '../../fixtures/program.ts';
import { tryCreate } from './sample.ts';
import type { SchemaNode } from '../crd.ts';
import type { Spec } from './sample.ts';

/** Pattern of fields forbids it, whatever the field. */
const NONSENSE = '!';

/** Leaves the bounds of each field to itself: no rule that compares fields stands in the way. */
const ROOM: Readonly<Record<string, unknown>> = {
  'proxy.replicas': 0,
  'proxy.drainTimeoutSeconds': 0,
  'proxy.terminationGracePeriodSeconds': 7200,
  'autoscaling.minReplicas': 1,
  'autoscaling.maxReplicas': 100,
};

type Mutable = Record<string, unknown>;

/** Place in a sample, from a place in the schema: `spec.domains[].host` -> `domains.0.host`. */
const inSample = (place: string) => place.replace(/^spec\./, '').replaceAll('[]', '.0');

/** A copy with a value, or without the field when it is undefined. */
function withValue(spec: Spec, place: string, value: unknown): Spec {
  const copy = structuredClone(spec) as Mutable;
  const keys = place.split('.');
  const last = keys.pop() ?? '';
  const holder = keys.length === 0 ? copy : (at(copy, keys.join('.')) as Mutable);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

interface Try {
  readonly value: unknown;
  readonly ok: boolean;
}

/** Values on both sides of each bound of a node. */
function valuesFor(node: SchemaNode): readonly Try[] {
  const tries: Try[] = [];
  const { minimum, maximum, minLength, maxLength, pattern } = node as Readonly<Record<string, never>>;
  if (minimum !== undefined) tries.push({ value: minimum, ok: true }, { value: minimum - 1, ok: false });
  if (maximum !== undefined) tries.push({ value: maximum, ok: true }, { value: maximum + 1, ok: false });
  if (minLength === 1) tries.push({ value: '', ok: false });
  if (maxLength !== undefined) tries.push({ value: 'x'.repeat(maxLength + 1), ok: false });
  if (pattern !== undefined) tries.push({ value: NONSENSE, ok: false });
  for (const value of (node['enum'] ?? []) as unknown[]) tries.push({ value, ok: true });
  if (node['enum'] !== undefined) tries.push({ value: 'Nonsense', ok: false });
  const other = { string: 7, integer: 'seven', boolean: 'yes', object: 'none', array: {} }[
    String(node['type'])
  ];
  if (other !== undefined) tries.push({ value: other, ok: false });
  return tries;
}

describe('every field of the schema, on the example that names them all', () => {
  let namespace = '';
  let samples: readonly Spec[] = [];
  let schema: SchemaNode = {};
  const lab = setUp(async (lab) => {
    await installCrd(lab.cluster);
    namespace = await lab.namespace();
    const file = path.join(ROOT, 'crds/examples/full.yaml');
    await lab.cluster.kubectl(['apply', '-n', namespace, '-f', file]);
    const examples = await lab.cluster.api().list(resourcesPath(namespace));
    samples = examples.map((example) =>
      Object.entries(ROOM)
        .filter(([place]) => at(example, `spec.${place}`) !== undefined)
        .reduce((spec, [place, value]) => withValue(spec, place, value), example['spec'] as Spec),
    );
    schema = await installedSchema(lab.cluster);
  });

  const fields = () => [...walkSchema(schema)].filter(([place]) => place.startsWith('spec.'));
  const sampleWith = (place: string) => samples.find((spec) => at(spec, inSample(place)) !== undefined);
  const answerFor = async (spec: Spec) => (await tryCreate(lab.cluster.api(), namespace, spec)).status;

  test('the example has each of them', () => {
    const missing = fields().filter(([place]) => sampleWith(place) === undefined);
    expect(missing.map(([place]) => place)).toEqual([]);
  });

  test('type, enum, bounds, length and pattern hold on both sides', async () => {
    const wrong: string[] = [];
    let tried = 0;
    for (const [place, node] of fields()) {
      for (const { value, ok } of valuesFor(node)) {
        const status = await answerFor(withValue(sampleWith(place) ?? {}, inSample(place), value));
        tried += 1;
        if (status !== (ok ? 201 : 422))
          wrong.push(`${place}: ${JSON.stringify(value).slice(0, 40)}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(200);
  });

  test('a list may not be longer than its bound', async () => {
    const wrong: string[] = [];
    for (const [place, node] of fields().filter(([, { maxItems }]) => maxItems !== undefined)) {
      const spec = sampleWith(place) ?? {};
      const item = at(spec, `${inSample(place)}.0`);
      const items = Array.from({ length: Number(node['maxItems']) + 1 }, () => item);
      if ((await answerFor(withValue(spec, inSample(place), items))) !== 422) wrong.push(place);
    }
    expect(wrong).toEqual([]);
  });

  test('a required field may not be missing, any other may', async () => {
    const wrong: string[] = [];
    for (const [place, node] of fields()) {
      const required = new Set((node['required'] ?? []) as string[]);
      for (const name of Object.keys(node['properties'] ?? {})) {
        const spec = sampleWith(`${place}.${name}`) ?? {};
        const status = await answerFor(withValue(spec, inSample(`${place}.${name}`), undefined));
        // Without its only member a database is none, which a rule says, not the list of required fields.
        const expected = required.has(name) || place === 'spec.database' ? 422 : 201;
        if (status !== expected) wrong.push(`${place}.${name}: ${status}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('an unknown field is refused when the client asks for it, on every level', async () => {
    const wrong: string[] = [];
    for (const [place, node] of fields()) {
      const isOpen =
        node['x-kubernetes-preserve-unknown-fields'] === true || node['properties'] === undefined;
      if (isOpen) continue;
      const spec = withValue(sampleWith(place) ?? {}, `${inSample(place)}.nonsense`, 1);
      const answer = await tryCreate(lab.cluster.api(), namespace, spec);
      const named = JSON.stringify(answer.body).includes('unknown field');
      if (answer.status !== 400 || !named) wrong.push(`${place}: ${answer.status}`);
    }
    expect(wrong).toEqual([]);
  });
});
