import { describe, expect, it } from 'vitest';

import { CrdNotEstablishedError, applyCrd } from './apply-crd.ts';
import { KINDS } from './kube/kinds.ts';
import { FakeApi } from './kube/testing/fake-api.ts';
import { FakeClock, settle } from './kube/testing/fake-clock.ts';

const ref = { name: 'claudenexuses.claudenexus.dev' };
const established = { conditions: [{ type: 'Established', status: 'True' }] };

describe('applyCrd', () => {
  it('waits until the CRD is established', async () => {
    const clock = new FakeClock();
    const api = new FakeApi(clock);
    let done = false;
    const applied = applyCrd(api, clock, new AbortController().signal).then(() => (done = true));
    await settle();
    expect(done).toBe(false);
    api.edit(KINDS.CustomResourceDefinition, ref, (crd) => ({ ...crd, status: established }));
    await clock.advance(200);
    await applied;
    expect(done).toBe(true);
  });

  it('gives up with one line', async () => {
    const clock = new FakeClock();
    const failed = applyCrd(new FakeApi(clock), clock, new AbortController().signal).catch(
      (error: unknown) => error,
    );
    for (let step = 0; step < 160; step += 1) await clock.advance(200);
    expect(await failed).toBeInstanceOf(CrdNotEstablishedError);
  });
});
