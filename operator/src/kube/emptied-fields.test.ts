import { describe, expect, it } from 'vitest';

import { emptiedFields } from './emptied-fields.ts';
import type { KubeObject } from './object.ts';

const MANAGER = 'us';
const CPU = { 'f:cpu': {} };

function cluster(spec: object, fields?: object): KubeObject {
  const entry = { manager: MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': fields } };
  const metadata = { name: 'db', ...(fields === undefined ? {} : { managedFields: [entry] }) };
  return { apiVersion: 'postgresql.cnpg.io/v1', kind: 'Cluster', metadata, spec };
}

describe('emptiedFields', () => {
  const both = { instances: 1, resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } };
  const ownBoth = { 'f:instances': {}, 'f:resources': { 'f:requests': CPU, 'f:limits': CPU } };

  it.each<[string, KubeObject, object, object | undefined]>([
    ['an object that is not wanted any more', cluster(both, ownBoth), { instances: 1 }, { resources: null }],
    [
      'one of two objects',
      cluster(both, ownBoth),
      { instances: 1, resources: { requests: { cpu: '1' } } },
      { resources: { limits: null } },
    ],
    ['an object wanted empty', cluster(both, ownBoth), { instances: 1, resources: {} }, { resources: null }],
    ['nothing that is wanted', cluster(both, ownBoth), both, undefined],
    [
      'nothing that still has another field',
      cluster({ resources: { limits: { cpu: '2', memory: '1Gi' } } }, { 'f:resources': { 'f:limits': CPU } }),
      { resources: { limits: { memory: '1Gi' } } },
      undefined,
    ],
    [
      'not what others have added to',
      cluster({ resources: { limits: { cpu: '2', memory: '1Gi' } } }, { 'f:resources': { 'f:limits': CPU } }),
      { instances: 1 },
      undefined,
    ],
    ['nothing of others', cluster(both), { instances: 1 }, undefined],
    [
      'nothing that is empty already',
      cluster({ instances: 1, resources: {} }, { 'f:instances': {}, 'f:resources': {} }),
      { instances: 1 },
      undefined,
    ],
    [
      'no list',
      cluster({ list: [{ name: 'a' }] }, { 'f:list': { 'k:{"name":"a"}': {} } }),
      { x: 1 },
      undefined,
    ],
  ])('takes away %s', (_what, live, spec, expected) => {
    const patch = emptiedFields(live, cluster(spec), MANAGER);
    expect(patch).toEqual(expected === undefined ? undefined : { spec: expected });
  });
});
