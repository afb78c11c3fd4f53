import type { Logger } from '@claude-nexus/runtime';

import type { Kind } from './kinds.ts';
import type { OperatorMetrics } from './metrics.ts';
import { keyOf } from './object.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import type { Sink } from './reflector.ts';

const INSTANCE = 'app.kubernetes.io/instance';

/** After a removal `object` is the last known state, and `has` is false. */
export type ChangeListener = (kind: Kind, object: KubeObject, previous: KubeObject | undefined) => void;

export interface CacheFilter {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** Value of the label app.kubernetes.io/instance; needs a namespace. */
  readonly instance?: string;
}

/**
 * What the reflectors saw, by kind. Whatever it hands out is a copy: changing it changes nothing here. Objects come without
 * `managedFields`, which take half the memory.
 */
export class Cache {
  readonly #log: Logger;
  readonly #metrics: OperatorMetrics;
  readonly #stores = new Map<string, Store>();
  readonly #listeners: ChangeListener[] = [];
  readonly #sources = new Set<() => boolean>();

  constructor(options: { readonly log: Logger; readonly metrics: OperatorMetrics }) {
    this.#log = options.log;
    this.#metrics = options.metrics;
  }

  list(kind: Kind, filter: CacheFilter): KubeObject[] {
    return this.#store(kind)
      .select(filter)
      .map((object) => structuredClone(object));
  }

  get(kind: Kind, ref: ObjectRef): KubeObject | undefined {
    return structuredClone(this.#store(kind).objects.get(keyOf(ref)));
  }

  has(kind: Kind, ref: ObjectRef): boolean {
    return this.#store(kind).objects.has(keyOf(ref));
  }

  /** Called with copies after every change. One that throws is logged and counted; the others still hear of it. */
  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  /** Whether everything that fills this cache has delivered a complete list: only then does absence mean anything. */
  hasSynced(): boolean {
    return this.#sources.size > 0 && [...this.#sources].every((synced) => synced());
  }

  /** Adds to what `hasSynced` waits for. @returns what takes it away again */
  addSource(synced: () => boolean): () => void {
    this.#sources.add(synced);
    return () => void this.#sources.delete(synced);
  }

  /** Where a reflector of this kind delivers to. */
  sink(kind: Kind): Sink {
    const store = this.#store(kind);
    return {
      upsert: (received) => {
        const object = withoutManagedFields(received);
        const previous = store.set(object);
        this.#tell(kind, object, previous);
      },
      remove: (ref) => {
        const last = store.delete(ref);
        if (last !== undefined) this.#tell(kind, last, undefined);
      },
    };
  }

  #store(kind: Kind): Store {
    const id = `${kind.apiVersion}/${kind.kind}`;
    let store = this.#stores.get(id);
    if (store === undefined) this.#stores.set(id, (store = new Store()));
    return store;
  }

  #tell(kind: Kind, object: KubeObject, previous: KubeObject | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(kind, structuredClone(object), structuredClone(previous));
      } catch (error) {
        this.#metrics.reflector.listenerErrors.inc({ kind: kind.kind });
        this.#log.error({ err: error, kind: kind.kind, name: object.metadata.name }, 'a listener failed');
      }
    }
  }
}

class Store {
  readonly objects = new Map<string, KubeObject>();
  readonly #groups = new Map<string, Set<string>>();

  set(object: KubeObject): KubeObject | undefined {
    const previous = this.delete(refOf(object));
    const key = keyOf(refOf(object));
    this.objects.set(key, object);
    for (const group of groupsOf(object)) {
      let keys = this.#groups.get(group);
      if (keys === undefined) this.#groups.set(group, (keys = new Set()));
      keys.add(key);
    }
    return previous;
  }

  delete(ref: ObjectRef): KubeObject | undefined {
    const key = keyOf(ref);
    const object = this.objects.get(key);
    if (object === undefined) return undefined;
    this.objects.delete(key);
    for (const group of groupsOf(object)) {
      const keys = this.#groups.get(group);
      keys?.delete(key);
      if (keys?.size === 0) this.#groups.delete(group);
    }
    return object;
  }

  select({ namespace, instance }: CacheFilter): KubeObject[] {
    if (namespace === undefined) return [...this.objects.values()];
    const keys = this.#groups.get(instance === undefined ? namespace : `${namespace}/${instance}`) ?? [];
    return [...keys].flatMap((key) => this.objects.get(key) ?? []);
  }
}

/** The namespace, and the instance within it; a namespace has no slash. */
function groupsOf({ metadata }: KubeObject): string[] {
  const { namespace = '', labels } = metadata;
  const instance = labels?.[INSTANCE];
  return instance === undefined ? [namespace] : [namespace, `${namespace}/${instance}`];
}

function refOf({ metadata: { namespace, name } }: KubeObject): ObjectRef {
  return namespace === undefined ? { name } : { namespace, name };
}

function withoutManagedFields(object: KubeObject): KubeObject {
  if (!('managedFields' in object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
