import { describe, expect, it } from 'vitest';

import { ApiError } from './errors.ts';
import { EventRecorder } from './event-recorder.ts';
import { KINDS } from './kinds.ts';
import { createOperatorMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import { captureLogger } from './testing/capture-logger.ts';
import { FakeApi } from './testing/fake-api.ts';
import { FakeClock } from './testing/fake-clock.ts';

const MINUTE = 60_000;
const owner: KubeObject = {
  apiVersion: 'claudenexus.dev/v1alpha1',
  kind: 'ClaudeNexus',
  metadata: { namespace: 'ns', name: 'a', uid: 'u', resourceVersion: '7' },
};

function world() {
  const clock = new FakeClock();
  const api = new FakeApi(clock);
  const metrics = createOperatorMetrics({ processMetrics: false });
  const { log, text } = captureLogger();
  const recorder = new EventRecorder({
    client: api,
    clock,
    random: () => 0.5,
    log,
    metrics,
    controller: 'claudenexus.dev/operator',
    instance: 'pod-1',
  });
  const record = async (reason: string, note = 'n'): Promise<void> => {
    recorder.record(owner, { type: 'Warning', reason, note });
    await recorder.drain();
  };
  const series = (): unknown => api.objects(KINDS.Event).map((event) => event['series']);
  return { clock, api, recorder, record, series, text, metrics };
}

describe('EventRecorder', () => {
  it('writes an event the API server accepts', async () => {
    const { api, record } = world();
    await record('PodsFailing', 'pod a-proxy-1 cannot pull its image');
    expect(api.objects(KINDS.Event)[0]).toMatchObject({
      metadata: { namespace: 'ns', name: expect.stringMatching(/^a\.[0-9a-f]+$/) as string },
      eventTime: '2026-01-02T03:04:05.678000Z',
      reportingController: 'claudenexus.dev/operator',
      reportingInstance: 'pod-1',
      action: 'Reconcile',
      reason: 'PodsFailing',
      type: 'Warning',
      note: 'pod a-proxy-1 cannot pull its image',
      regarding: { kind: 'ClaudeNexus', namespace: 'ns', name: 'a', uid: 'u', resourceVersion: '7' },
    });
  });

  it('counts the same event up instead of writing another one', async () => {
    const { clock, record, series } = world();
    await record('PodsFailing');
    expect(series()).toEqual([undefined]);
    await clock.advance(MINUTE);
    await record('PodsFailing');
    await record('PodsFailing');
    expect(series()).toEqual([{ count: 3, lastObservedTime: '2026-01-02T03:05:05.678000Z' }]);
    await record('JobFailed');
    expect(series()).toHaveLength(2);
  });

  it('begins anew after half an hour, and when the event has expired', async () => {
    const { clock, api, record } = world();
    await record('PodsFailing');
    await clock.advance(30 * MINUTE);
    await record('PodsFailing');
    expect(api.objects(KINDS.Event)).toHaveLength(2);
    for (const { metadata } of api.objects(KINDS.Event)) {
      api.remove(KINDS.Event, { namespace: 'ns', name: metadata.name });
    }
    await record('PodsFailing');
    expect(api.objects(KINDS.Event)).toHaveLength(1);
  });

  it('writes fifty times per object and minute, and counts what it drops', async () => {
    const { clock, api, record, metrics } = world();
    for (let index = 0; index < 55; index++) await record('PodsFailing', `note ${index}`);
    expect(api.writes()).toHaveLength(50);
    const scraped = await metrics.registry.metrics();
    expect(scraped).toContain('claudenexus_operator_events_total{outcome="dropped"} 5');
    await clock.advance(MINUTE);
    await record('PodsFailing', 'note 54');
    expect(api.writes()).toHaveLength(51);
  });

  it('never throws: a refused event is logged and the next one is written', async () => {
    const { api, record, text } = world();
    api.failNext('create', new ApiError('no', { status: 403, reason: 'Forbidden' }));
    await record('PodsFailing');
    expect(text()).toContain('cannot write an event');
    await record('PodsFailing');
    expect(api.objects(KINDS.Event)).toHaveLength(1);
  });

  it('keeps secrets out of the note, and the note short', async () => {
    const { api, record } = world();
    await record('CredentialInvalid', `sk-ant-MARKEDSECRET0123456789 ${'ü'.repeat(2000)}`);
    const note = String(api.objects(KINDS.Event)[0]?.['note']);
    expect(note).not.toContain('MARKED');
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  });
});
