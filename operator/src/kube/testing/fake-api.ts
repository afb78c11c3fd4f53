import { isDeepStrictEqual } from 'node:util';

import type {
  ApiClient,
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  WatchEvent,
  WatchOptions,
} from '../api-client.ts';
import { formatTime } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { ApiError } from '../errors.ts';
import { KINDS } from '../kinds.ts';
import type { Kind } from '../kinds.ts';
import { keyOf } from '../object.ts';
import type { KubeList, KubeObject, ObjectMeta, ObjectRef } from '../object.ts';
import {
  fieldsV1,
  changedPaths,
  leavesOf,
  mergePatch,
  removeLeaves,
  setLeaf,
  valueAt,
} from './fake-apply.ts';

export type FakeVerb = 'get' | 'list' | 'watch' | 'create' | 'replace' | 'apply' | 'patch' | 'delete';

export interface FakeRequest {
  readonly verb: FakeVerb;
  readonly kind: string;
  /** `namespace/name`; of a list or watch the namespace or `*`. */
  readonly key: string;
  /** What was sent, if anything. */
  readonly body?: unknown;
  /** Of an apply. */
  readonly force?: boolean;
}

interface Stored {
  object: KubeObject;
  /** Paths of the leaves each manager applied. */
  readonly managers: Map<string, ReadonlySet<string>>;
}

interface HistoryEntry {
  readonly version: number;
  readonly kind: string;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

interface Watcher {
  readonly kind: Kind;
  readonly options: Omit<WatchOptions, 'signal'>;
  readonly onEvent: (event: WatchEvent) => void;
  end(error?: Error): void;
}

type Writable = { -readonly [K in keyof ObjectMeta]: ObjectMeta[K] };

const OPTIONAL = new Set(['monitoring.coreos.com/v1', 'postgresql.cnpg.io/v1']);
const WRITES = new Set<FakeVerb>(['create', 'replace', 'apply', 'patch', 'delete']);

/**
 * An API server in memory: resource versions, generations, paged lists, watches with selectors and history, server-side
 * apply with field managers, preconditions, faults. No defaulting, no validation, no garbage collector, no admission.
 */
export class FakeApi implements ApiClient {
  readonly #clock: Clock;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #history: HistoryEntry[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #races: { verb: FakeVerb; happening: () => void }[] = [];
  readonly #faults: { matches: (request: FakeRequest) => boolean; error: Error }[] = [];
  #version = 1000;
  #oldest = 0;
  #uids = 0;
  #held: (() => void)[] | undefined;
  /** Every request, in order. */
  readonly requests: FakeRequest[] = [];
  /** Group versions the server does not know. */
  readonly missing = new Set(OPTIONAL);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  // What a test does.

  /** Stores an object as somebody else made it; uid and resource version are given. */
  seed(object: KubeObject): KubeObject {
    const kind = kindOf(object);
    return this.#store(kind, { before: undefined, after: this.#fresh(structuredClone(object)) });
  }

  /** Changes an object as a controller or a person would, status included. */
  edit(kind: Kind, ref: ObjectRef, change: (object: KubeObject) => KubeObject): KubeObject {
    const before = this.#find(kind, ref).object;
    return this.#store(kind, { before, after: change(structuredClone(before)) });
  }

  /** Takes an object away at once, finalizers or not. */
  remove(kind: Kind, ref: ObjectRef): void {
    this.#store(kind, { before: this.#find(kind, ref).object, after: undefined });
  }

  /** Everything of a kind, or the one object; not a request. */
  objects(kind: Kind): KubeObject[] {
    return [...this.#of(kind).values()].map(({ object }) => structuredClone(object));
  }

  peek(kind: Kind, ref: ObjectRef): KubeObject | undefined {
    return structuredClone(this.#of(kind).get(keyOf(ref))?.object);
  }

  /** Requests that change something, since the start or the last `forgetRequests`. */
  writes(): FakeRequest[] {
    return this.requests.filter(({ verb }) => WRITES.has(verb));
  }

  forgetRequests(): void {
    this.requests.length = 0;
  }

  /** The next matching request fails so; it has no effect. */
  failNext(verb: FakeVerb, error: Error, kind?: Kind): void {
    this.#faults.push({
      matches: (request) => request.verb === verb && (kind === undefined || request.kind === kind.kind),
      error,
    });
  }

  /** Something else happens just before the next matching request: a race. */
  beforeNext(verb: FakeVerb, happening: () => void): void {
    this.#races.push({ verb, happening });
  }

  /** Versions up to now are forgotten: a watch from one of them is answered 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history.length = 0;
  }

  /** Ends every watch: normally, or with an error. */
  endWatches(error?: Error): void {
    for (const watcher of this.#watchers) watcher.end(error);
  }

  /** Number of open watches. */
  get watches(): number {
    return this.#watchers.size;
  }

  bookmark(): void {
    this.#version += 1;
    for (const { kind, onEvent } of this.#watchers) {
      const metadata = { name: '', resourceVersion: String(this.#version) };
      onEvent({ type: 'BOOKMARK', object: { apiVersion: kind.apiVersion, kind: kind.kind, metadata } });
    }
  }

  /** Watch events are kept back until `releaseEvents`: caches lag. */
  holdEvents(): void {
    this.#held ??= [];
  }

  /** @param drop the events are lost instead of delivered */
  releaseEvents(options: { readonly drop?: boolean } = {}): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (options.drop !== true) for (const deliver of held) deliver();
  }

  // ApiClient.

  async get(kind: Kind, ref: ObjectRef): Promise<KubeObject> {
    await this.#request({ verb: 'get', kind: kind.kind, key: keyOf(ref) });
    return this.#answer(this.#find(kind, ref));
  }

  async list(kind: Kind, options: ListOptions): Promise<KubeList> {
    await this.#request({ verb: 'list', kind: kind.kind, key: options.namespace ?? '*' });
    this.#checkServed(kind);
    const matching = [...this.#of(kind).values()].filter(({ object }) => selected(object, options));
    const start = Number(options.continue ?? 0);
    const end = start + (options.limit ?? matching.length);
    const metadata = { resourceVersion: String(this.#version) };
    return {
      metadata: end < matching.length ? { ...metadata, continue: String(end) } : metadata,
      items: matching.slice(start, end).map((stored) => view(this.#answer(stored), options)),
    };
  }

  async watch(kind: Kind, options: WatchOptions, onEvent: (event: WatchEvent) => void): Promise<void> {
    const { signal, ...rest } = options;
    await this.#request({ verb: 'watch', kind: kind.kind, key: options.namespace ?? '*', body: rest });
    this.#checkServed(kind);
    const since = Number(options.resourceVersion);
    if (since < this.#oldest) throw failure(410, 'Expired', 'too old resource version');
    const ended = Promise.withResolvers<void>();
    const end = (error?: Error): void => (error === undefined ? ended.resolve() : ended.reject(error));
    const watcher: Watcher = { kind, options: rest, onEvent, end };
    const missed = this.#history.filter((entry) => entry.version > since);
    for (const entry of missed) deliver(watcher, entry);
    this.#watchers.add(watcher);
    const cancel = this.#clock.after(options.timeoutSeconds * 1000, end);
    const abort = (): void => end();
    signal.addEventListener('abort', abort);
    if (signal.aborted) end();
    try {
      await ended.promise;
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
      this.#watchers.delete(watcher);
    }
  }

  async create(kind: Kind, object: KubeObject, options?: { fieldManager: string }): Promise<KubeObject> {
    const ref = refOf(kind, object);
    await this.#request({ verb: 'create', kind: kind.kind, key: keyOf(ref), body: object });
    this.#checkServed(kind);
    if (this.#of(kind).has(keyOf(ref)))
      throw failure(409, 'AlreadyExists', `${kind.plural} "${ref.name}" already exists`);
    const { status: _, ...rest } = structuredClone(object);
    this.#store(kind, { before: undefined, after: this.#fresh(rest) });
    const stored = this.#find(kind, ref);
    stored.managers.set(`${options?.fieldManager ?? 'unknown'}:Update`, new Set(leavesOf(object).keys()));
    return this.#answer(stored);
  }

  async replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const ref = refOf(kind, object);
    await this.#request({ verb: 'replace', kind: kind.kind, key: keyOf(ref), body: object });
    const stored = this.#find(kind, ref);
    checkVersion(stored.object, object.metadata);
    const { status } = stored.object;
    const after = { ...structuredClone(object), metadata: { ...stored.object.metadata, ...object.metadata } };
    this.#store(kind, { before: stored.object, after: status === undefined ? after : { ...after, status } });
    return this.#answer(this.#find(kind, ref));
  }

  async apply(kind: Kind, object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    const ref = refOf(kind, object);
    const { force } = options;
    await this.#request({ verb: 'apply', kind: kind.kind, key: keyOf(ref), body: object, force });
    this.#checkServed(kind);
    let stored = this.#of(kind).get(keyOf(ref));
    if (stored === undefined) {
      if (options.subresource !== undefined || object.metadata.resourceVersion !== undefined) {
        throw failure(404, 'NotFound', `${kind.plural} "${ref.name}" not found`);
      }
      const metadata = { ...ref };
      this.#store(kind, {
        before: undefined,
        after: this.#fresh({ apiVersion: kind.apiVersion, kind: kind.kind, metadata }),
        silent: true,
      });
      stored = this.#find(kind, ref);
      this.#merge(stored, object, options);
      this.#publish(kind, undefined, stored.object);
      return this.#answer(stored);
    }
    checkVersion(stored.object, object.metadata);
    const before = stored.object;
    const after = this.#merge(
      { object: structuredClone(before), managers: stored.managers },
      object,
      options,
    );
    this.#store(kind, { before, after });
    return this.#answer(this.#find(kind, ref));
  }

  async patch(
    kind: Kind,
    ref: ObjectRef,
    patch: unknown,
    options: { fieldManager: string; subresource?: 'status' },
  ): Promise<KubeObject> {
    await this.#request({ verb: 'patch', kind: kind.kind, key: keyOf(ref), body: patch });
    const stored = this.#find(kind, ref);
    const before = stored.object;
    const patched = mergePatch(structuredClone(before), patch) as KubeObject;
    checkVersion(before, patched.metadata);
    const after =
      options.subresource === 'status'
        ? { ...structuredClone(before), status: patched['status'] }
        : { ...patched, ...(before['status'] === undefined ? {} : { status: before['status'] }) };
    const manager = `${options.fieldManager}:Update`;
    const owned = new Set([...(stored.managers.get(manager) ?? []), ...changedPaths(before, after)]);
    stored.managers.set(manager, owned);
    this.#store(kind, { before, after });
    return this.#answer(this.#find(kind, ref));
  }

  async delete(kind: Kind, ref: ObjectRef, options: DeleteOptions): Promise<void> {
    await this.#request({ verb: 'delete', kind: kind.kind, key: keyOf(ref), body: options });
    const before = this.#find(kind, ref).object;
    checkVersion(before, options.preconditions);
    if ((before.metadata.finalizers ?? []).length === 0) {
      this.#store(kind, { before, after: undefined });
      return;
    }
    const deletionTimestamp = formatTime(this.#clock.now());
    this.#store(kind, { before, after: { ...before, metadata: { ...before.metadata, deletionTimestamp } } });
  }

  kindsOf(apiVersion: string): Promise<ReadonlySet<string>> {
    const kinds = Object.values(KINDS).filter((kind) => kind.apiVersion === apiVersion);
    return Promise.resolve(new Set(this.missing.has(apiVersion) ? [] : kinds.map(({ kind }) => kind)));
  }

  // How it works.

  async #request(request: FakeRequest): Promise<void> {
    this.requests.push(request);
    // As over a network: nothing happens in the caller's turn.
    await Promise.resolve();
    const race = this.#races.findIndex(({ verb }) => verb === request.verb);
    if (race >= 0) this.#races.splice(race, 1)[0]?.happening();
    const index = this.#faults.findIndex(({ matches }) => matches(request));
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1);
    if (fault !== undefined) throw fault.error;
  }

  #checkServed(kind: Kind): void {
    if (this.missing.has(kind.apiVersion)) {
      throw failure(404, 'NotFound', 'the server could not find the requested resource');
    }
  }

  #of(kind: Kind): Map<string, Stored> {
    let objects = this.#objects.get(kind.kind);
    if (objects === undefined) this.#objects.set(kind.kind, (objects = new Map()));
    return objects;
  }

  #find(kind: Kind, ref: ObjectRef): Stored {
    const stored = this.#of(kind).get(keyOf(ref));
    if (stored === undefined) throw failure(404, 'NotFound', `${kind.plural} "${ref.name}" not found`);
    return stored;
  }

  #fresh(object: KubeObject): KubeObject {
    this.#uids += 1;
    const metadata = {
      uid: `uid-${this.#uids}`,
      creationTimestamp: formatTime(this.#clock.now()),
      generation: 1,
      ...object.metadata,
    };
    return { ...object, metadata };
  }

  /** Merges what a manager applies into a stored object that may be changed; keeps who owns what. */
  #merge(stored: Stored, applied: KubeObject, options: ApplyOptions): KubeObject {
    const manager = `${options.fieldManager}:Apply${options.subresource ?? ''}`;
    const leaves = new Map(
      [...leavesOf(applied)].filter(
        ([path]) => path.startsWith('["status"') === (options.subresource === 'status'),
      ),
    );
    const others = [...stored.managers].filter(([name]) => name !== manager);
    const taken = [...leaves].filter(
      ([path, value]) =>
        !isDeepStrictEqual(valueAt(stored.object, path), value) &&
        others.some(([, paths]) => paths.has(path)),
    );
    if (taken.length > 0 && !options.force) {
      throw failure(409, 'Conflict', `Apply failed with ${taken.length} conflict`);
    }
    const dropped = [...(stored.managers.get(manager) ?? [])].filter((path) => !leaves.has(path));
    removeLeaves(
      stored.object,
      dropped.filter((path) => !others.some(([, paths]) => paths.has(path))),
    );
    for (const [path, value] of leaves) setLeaf(stored.object, path, value);
    const lost = new Set(taken.map(([path]) => path));
    for (const [name, paths] of others) {
      stored.managers.set(name, new Set([...paths].filter((path) => !lost.has(path))));
    }
    stored.managers.set(manager, new Set(leaves.keys()));
    return stored.object;
  }

  #store(
    kind: Kind,
    change: { before: KubeObject | undefined; after: KubeObject | undefined; silent?: boolean },
  ): KubeObject {
    const { before, after } = change;
    const objects = this.#of(kind);
    if (after === undefined) {
      if (before !== undefined) objects.delete(keyOf(refOf(kind, before)));
      this.#version += 1;
      this.#publish(kind, before, undefined);
      return before as KubeObject;
    }
    if (before !== undefined && isDeepStrictEqual(before, after)) return before;
    this.#version += 1;
    const metadata = after.metadata as Writable;
    const specChanged =
      before !== undefined && !isDeepStrictEqual(withoutStatus(before), withoutStatus(after));
    if (specChanged) metadata.generation = (before.metadata.generation ?? 1) + 1;
    metadata.resourceVersion = String(this.#version);
    const key = keyOf(refOf(kind, after));
    const gone = (metadata.finalizers ?? []).length === 0 && metadata.deletionTimestamp !== undefined;
    if (gone && before?.metadata.deletionTimestamp !== undefined) {
      objects.delete(key);
      this.#publish(kind, before, undefined);
      return after;
    }
    const stored = objects.get(key);
    if (stored === undefined) objects.set(key, { object: after, managers: new Map() });
    else stored.object = after;
    if (change.silent !== true) this.#publish(kind, before, after);
    return structuredClone(after);
  }

  #publish(kind: Kind, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const entry = {
      version: this.#version,
      kind: kind.kind,
      before: structuredClone(before),
      after: structuredClone(after),
    };
    this.#history.push(entry);
    const send = (): void => {
      for (const watcher of this.#watchers) deliver(watcher, entry);
    };
    if (this.#held === undefined) send();
    else this.#held.push(send);
  }

  #answer(stored: Stored): KubeObject {
    const managedFields = [...stored.managers]
      .filter(([, paths]) => paths.size > 0)
      .map(([name, paths]) => {
        const [manager, rest = ''] = name.split(':');
        return rest.startsWith('Apply')
          ? {
              manager,
              operation: 'Apply',
              fieldsV1: fieldsV1(paths),
              ...(rest === 'Applystatus' ? { subresource: 'status' } : {}),
            }
          : { manager, operation: 'Update', fieldsV1: fieldsV1(paths) };
      });
    const object = structuredClone(stored.object);
    if (managedFields.length === 0) return object;
    return { ...object, metadata: { ...object.metadata, managedFields } as ObjectMeta };
  }
}

function deliver(watcher: Watcher, entry: HistoryEntry): void {
  if (entry.kind !== watcher.kind.kind) return;
  const was = entry.before !== undefined && selected(entry.before, watcher.options);
  const is = entry.after !== undefined && selected(entry.after, watcher.options);
  if (!was && !is) return;
  const object = structuredClone((is ? entry.after : (entry.after ?? entry.before)) as KubeObject);
  (object.metadata as Writable).resourceVersion = String(entry.version);
  watcher.onEvent({
    type: is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED',
    object: view(object, watcher.options),
  });
}

function selected(object: KubeObject, options: Pick<ListOptions, 'namespace' | 'labelSelector'>): boolean {
  if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return false;
  return (options.labelSelector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [name = '', value] = term.split('=');
      const actual = object.metadata.labels?.[name];
      return value === undefined ? actual !== undefined : actual === value;
    });
}

function view(object: KubeObject, options: Pick<ListOptions, 'metadataOnly'>): KubeObject {
  if (options.metadataOnly !== true) return object;
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata };
}

function withoutStatus(object: KubeObject): unknown {
  const { status: _, metadata: __, ...rest } = object;
  return rest;
}

function checkVersion(live: KubeObject, wanted: { uid?: string; resourceVersion?: string }): void {
  const { uid, resourceVersion } = live.metadata;
  const { uid: wantedUid = uid, resourceVersion: wantedVersion = resourceVersion } = wanted;
  if (wantedUid === uid && wantedVersion === resourceVersion) return;
  throw failure(409, 'Conflict', `"${live.metadata.name}": the object has been modified`);
}

function refOf(kind: Kind, object: KubeObject): ObjectRef {
  const { namespace, name } = object.metadata;
  return kind.namespaced && namespace !== undefined ? { namespace, name } : { name };
}

function kindOf(object: KubeObject): Kind {
  const kind = Object.values<Kind>(KINDS).find(
    (candidate) => candidate.kind === object.kind && candidate.apiVersion === object.apiVersion,
  );
  if (kind === undefined) throw new TypeError(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}

function failure(status: number, reason: string, message: string): ApiError {
  return new ApiError(message, { status, reason });
}
