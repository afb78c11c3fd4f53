import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../kube/object.ts';
import { decideStorage } from './storage.ts';

const set = (size: string, mark?: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'x-postgres' },
  spec: {
    volumeClaimTemplates: [
      {
        metadata: mark === undefined ? {} : { annotations: { 'claudenexus.dev/postgres-version': mark } },
        spec: { resources: { requests: { storage: size } } },
      },
    ],
  },
});

const claim = (request: string, capacity?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data-x-postgres-0' },
  spec: { storageClassName: 'standard', resources: { requests: { storage: request } } },
  ...(capacity === undefined ? {} : { status: { capacity: { storage: capacity } } }),
});

const CAN = new Map([['standard', true]]);
const CANNOT = new Map([['standard', false]]);

describe('decideStorage', () => {
  it.each([
    ['nothing there: nothing to do', { set: undefined, claims: [] }, CAN, 'nothing', '20Gi'],
    ['as wanted', { set: set('20Gi'), claims: [claim('20Gi', '20Gi')] }, CAN, 'nothing', '20Gi'],
    [
      'the same size written otherwise',
      { set: set('20480Mi'), claims: [claim('20Gi')] },
      CAN,
      'nothing',
      '20480Mi',
    ],
    [
      'a smaller claim is expanded first',
      { set: set('10Gi'), claims: [claim('10Gi')] },
      CAN,
      'expand',
      '10Gi',
    ],
    ['a class that cannot', { set: set('10Gi'), claims: [claim('10Gi')] }, CANNOT, 'unsupported', '10Gi'],
    [
      'a class that may not be read is tried',
      { set: set('10Gi'), claims: [claim('10Gi')] },
      undefined,
      'expand',
      '10Gi',
    ],
    ['then the set is made anew', { set: set('10Gi'), claims: [claim('20Gi')] }, CAN, 'orphan-set', '20Gi'],
    ['which was deleted', { set: undefined, claims: [claim('20Gi')] }, CAN, 'nothing', '20Gi'],
    [
      'a kept claim larger than wanted stays',
      { set: set('20Gi'), claims: [claim('50Gi')] },
      CAN,
      'nothing',
      '20Gi',
    ],
    [
      'a kept claim smaller than wanted grows',
      { set: undefined, claims: [claim('5Gi')] },
      CAN,
      'expand',
      '20Gi',
    ],
    [
      'a template marked with another version',
      { set: set('20Gi', '16'), claims: [] },
      CAN,
      'orphan-set',
      '20Gi',
    ],
    ['a template marked with this version', { set: set('20Gi', '17'), claims: [] }, CAN, 'nothing', '20Gi'],
  ] as const)('%s', (...[, state, expandable, step, templateSize]) => {
    const decision = decideStorage({ wanted: '20Gi', version: 17, expandable, ...state });
    expect(decision).toMatchObject({ step, templateSize });
  });

  it.each([
    ['10Gi', true],
    ['20Gi', false],
    [undefined, false],
  ])('with a capacity of %s says resizing: %s', (capacity, resizing) => {
    const claims = [claim('20Gi', capacity)];
    const decision = decideStorage({
      wanted: '20Gi',
      version: 17,
      set: set('20Gi'),
      claims,
      expandable: CAN,
    });
    expect(decision.resizing).toBe(resizing);
  });

  it('leaves a set alone that is being deleted', () => {
    const leaving = { ...set('10Gi'), metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const claims = [claim('20Gi')];
    expect(decideStorage({ wanted: '20Gi', version: 17, set: leaving, claims, expandable: CAN }).step).toBe(
      'removing',
    );
  });
});
