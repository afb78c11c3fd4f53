import { describe, expect, it } from 'vitest';

import { Cache } from './cache.ts';
import { KINDS } from './kinds.ts';
import { createOperatorMetrics } from './metrics.ts';
import type { KubeObject } from './object.ts';
import { captureLogger } from './testing/capture-logger.ts';

const kind = KINDS.ConfigMap;

function harness() {
  const { log, text } = captureLogger();
  const cache = new Cache({ log, metrics: createOperatorMetrics({ processMetrics: false }) });
  return { cache, sink: cache.sink(kind), text };
}

function configMap(namespace: string, name: string, instance?: string): KubeObject {
  const labels = instance === undefined ? {} : { 'app.kubernetes.io/instance': instance };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels }, data: { k: 'v' } };
}

describe('Cache', () => {
  it('finds by namespace and instance, also after a label changed', () => {
    const { cache, sink } = harness();
    for (const object of [
      configMap('a', 'x', 'one'),
      configMap('a', 'y', 'two'),
      configMap('b', 'x', 'one'),
    ]) {
      sink.upsert(object);
    }
    const find = (filter: object): string[] =>
      cache.list(kind, filter).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    expect(find({})).toEqual(['a/x', 'a/y', 'b/x']);
    expect(find({ namespace: 'a' })).toEqual(['a/x', 'a/y']);
    expect(find({ namespace: 'a', instance: 'one' })).toEqual(['a/x']);
    sink.upsert(configMap('a', 'x', 'two'));
    expect(find({ namespace: 'a', instance: 'one' })).toEqual([]);
    expect(find({ namespace: 'a', instance: 'two' })).toEqual(['a/y', 'a/x']);
    sink.remove({ namespace: 'a', name: 'x' });
    expect(find({ namespace: 'a' })).toEqual(['a/y']);
    expect(cache.list(KINDS.Secret, {})).toEqual([]);
  });

  it('hands out copies only', () => {
    const { cache, sink } = harness();
    const ref = { namespace: 'a', name: 'x' };
    cache.onChange((_, object) => void ((object['data'] as { k: string }).k = 'spoilt'));
    sink.upsert(configMap('a', 'x'));
    for (const object of [cache.get(kind, ref), cache.list(kind, {})[0]]) {
      expect(object?.['data']).toEqual({ k: 'v' });
      ((object as KubeObject)['data'] as { k: string }).k = 'spoilt';
    }
    expect(cache.get(kind, ref)?.['data']).toEqual({ k: 'v' });
  });

  it('keeps no managed fields', () => {
    const { cache, sink } = harness();
    const { metadata, ...rest } = configMap('a', 'x');
    sink.upsert({ ...rest, metadata: Object.assign({}, metadata, { managedFields: [{}] }) });
    expect(cache.get(kind, { namespace: 'a', name: 'x' })?.metadata).toEqual(metadata);
  });

  it('tells listeners of the object and what it was; a removal by its last state', () => {
    const { cache, sink } = harness();
    const told: unknown[] = [];
    cache.onChange((_, object, previous) => {
      const { namespace = '', name } = object.metadata;
      told.push([object['data'], previous?.['data'], cache.has(kind, { namespace, name })]);
    });
    sink.upsert(configMap('a', 'x'));
    sink.upsert({ ...configMap('a', 'x'), data: { k: 'w' } });
    sink.remove({ namespace: 'a', name: 'x' });
    sink.remove({ namespace: 'a', name: 'x' });
    expect(told).toEqual([
      [{ k: 'v' }, undefined, true],
      [{ k: 'w' }, { k: 'v' }, true],
      [{ k: 'w' }, undefined, false],
    ]);
  });

  it('survives a listener that throws, and says so', () => {
    const { cache, sink, text } = harness();
    const told: string[] = [];
    cache.onChange(() => {
      throw new TypeError('broken listener');
    });
    cache.onChange((_, object) => void told.push(object.metadata.name));
    sink.upsert(configMap('a', 'x'));
    expect(told).toEqual(['x']);
    expect(text()).toContain('broken listener');
  });

  it('has synced once all its sources have, and not without any', () => {
    const { cache } = harness();
    let second = false;
    expect(cache.hasSynced()).toBe(false);
    cache.addSource(() => true);
    const remove = cache.addSource(() => second);
    expect(cache.hasSynced()).toBe(false);
    second = true;
    expect(cache.hasSynced()).toBe(true);
    second = false;
    remove();
    expect(cache.hasSynced()).toBe(true);
  });
});
