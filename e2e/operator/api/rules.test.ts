import { describe, expect, test } from 'vitest';

import { installCrd, installedSchema, resourcesPath, walkSchema } from '../crd.ts';
import { setUp } from '../set-up.ts';
import { at } from '../../fixtures/control-plane/api.ts';
import { RULE_CASES } from './rule-cases.ts';
import { resource, tryCreate } from './sample.ts';
import { SWITCHES, UPDATE_CASES } from './update-cases.ts';
import type { Answer } from '../../fixtures/control-plane/api.ts';
import type { Spec } from './sample.ts';

interface Cause {
  readonly field: string;
  readonly message: string;
}

/** Why the API server refused, without indices. Empty when it did not. */
function causesOf(answer: Answer): readonly Cause[] {
  const causes = (at(answer.body, 'details.causes') ?? []) as readonly Cause[];
  return causes.map(({ field, message }) => ({ field: field.replaceAll(/\[\d+\]/g, '[]'), message }));
}

describe('the rules of the resource, as the API server keeps them', () => {
  let namespace = '';
  const lab = setUp(async (lab) => {
    await installCrd(lab.cluster);
    namespace = await lab.namespace();
  });

  test.each(RULE_CASES.flatMap((rule) => rule.good.map((spec) => [rule.field, JSON.stringify(spec), spec])))(
    '%s: %s is taken',
    async (_, __, spec) => {
      const answer = await tryCreate(lab.cluster.api(), namespace, spec);
      expect(answer).toMatchObject({ status: 201 });
    },
  );

  test.each(
    RULE_CASES.flatMap(({ field, message, bad }) =>
      bad.map((spec) => [field, JSON.stringify(spec), message, spec] as const),
    ),
  )('%s: %s is refused: %s', async (field, _, message, spec) => {
    const causes = causesOf(await tryCreate(lab.cluster.api(), namespace, spec));
    expect(causes).toContainEqual({ field, message: expect.stringContaining(message) });
  });

  const update = async (spec: Spec, name: string, query = '') => {
    const path = `${resourcesPath(namespace)}/${name}`;
    const { metadata } = await lab.cluster.api().get(path);
    return lab.cluster.api().request('PUT', `${path}${query}`, { ...resource(spec), metadata });
  };

  test.each(UPDATE_CASES.map((rule, index) => [rule.field, JSON.stringify(rule.from), rule, index] as const))(
    '%s after %s: changes that are taken, and that are refused',
    async (_, __, { field, message, from, good, bad }, index) => {
      const name = `update-${index}`;
      await lab.cluster.api().create(resourcesPath(namespace), resource(from, name));
      for (const spec of good) expect(await update(spec, name, '?dryRun=All')).toMatchObject({ status: 200 });
      for (const spec of bad) {
        const causes = causesOf(await update(spec, name, '?dryRun=All'));
        expect(causes).toContainEqual({ field, message: expect.stringContaining(message) });
      }
    },
  );

  test.each(SWITCHES)('%s is taken', async (title, steps) => {
    const name = title.toLowerCase().replaceAll(' ', '-');
    const [first, ...others] = steps;
    await lab.cluster.api().create(resourcesPath(namespace), resource(first, name));
    for (const spec of others) expect(await update(spec, name)).toMatchObject({ status: 200 });
  });

  test.each(['a', 'gateway', 'team-1-gateway', 'x'.repeat(63)])('the name %s is taken', async (name) => {
    expect(await tryCreate(lab.cluster.api(), namespace, {}, name)).toMatchObject({ status: 201 });
  });

  const NAME_MESSAGE = 'metadata.name must be at most 63 lower-case letters, digits and dashes';

  test.each(['x'.repeat(64), 'a.b', '1-gateway'])('the name %s is refused', async (name) => {
    const answer = await tryCreate(lab.cluster.api(), namespace, {}, name);
    expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining(NAME_MESSAGE) } });
  });

  test.each([
    [
      'two domains of the same host',
      { domains: ['a', 'a'].map((host) => ({ host, credential: { secretRef: { name: 's', key: 'k' } } })) },
      'spec.domains[1]',
    ],
    [
      'two hosts of the Ingress alike',
      { ingress: { proxy: [{ host: 'a' }, { host: 'a' }] } },
      'spec.ingress.proxy[1]',
    ],
  ])('%s are refused', async (_, spec, field) => {
    const answer = await tryCreate(lab.cluster.api(), namespace, spec);
    expect(answer).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining(`${field}: Duplicate value`) },
    });
  });

  test('no rule of the schema is without a case', async () => {
    const covered = [...RULE_CASES, ...UPDATE_CASES, { field: '', message: NAME_MESSAGE }];
    const missing: string[] = [];
    for (const [place, node] of walkSchema(await installedSchema(lab.cluster))) {
      const rules = (node['x-kubernetes-validations'] ?? []) as { message: string; fieldPath?: string }[];
      for (const { message, fieldPath = '' } of rules) {
        const field = place + fieldPath;
        const isCovered = covered.some((rule) => rule.field === field && message.startsWith(rule.message));
        if (!isCovered) missing.push(`${field}: ${message}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
