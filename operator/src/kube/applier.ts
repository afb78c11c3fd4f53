import type { ApiClient, DeleteOptions } from './api-client.ts';
import type { Cache } from './cache.ts';
import { digest } from './digest.ts';
import { emptiedFields } from './emptied-fields.ts';
import { ApiError, isConflict, isNotFound, NameTakenError, StaleCacheError } from './errors.ts';
import type { Kind } from './kinds.ts';
import { keyOf } from './object.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { controllerOf, isLabelledOurs, isOurs } from './ownership.ts';
import type { Ownership } from './ownership.ts';

export type ApplyResult = 'created' | 'configured' | 'unchanged';

/** `kept`: the object changed in between or was not confirmed; look again. */
export type RemoveResult = 'deleted' | 'gone' | 'kept';

export interface RemoveOptions {
  readonly propagationPolicy?: DeleteOptions['propagationPolicy'];
  /** A last look at the live object. @returns false to keep it */
  readonly confirm?: (live: KubeObject) => boolean;
}

/** What was applied last and what came of it. */
interface Memory {
  readonly desired: string;
  readonly live: string;
  /** Generation of the result. */
  readonly generation: number;
  /** Resource version of the result. */
  readonly version: string | undefined;
  /** Resource version the cache had before: while it still has that one it lags. */
  readonly versionBefore: string | undefined;
}

export interface ApplierOptions {
  readonly client: ApiClient;
  readonly cache: Cache;
  /** Also the value of app.kubernetes.io/managed-by on what is ours. */
  readonly fieldManager: string;
}

/** Brings single objects to what is wanted, and sends nothing for one that is already so. */
export class Applier {
  readonly #client: ApiClient;
  readonly #cache: Cache;
  readonly #manager: string;
  readonly #memory = new Map<string, Memory>();

  constructor({ client, cache, fieldManager }: ApplierOptions) {
    this.#client = client;
    this.#cache = cache;
    this.#manager = fieldManager;
    cache.onChange((kind, object) => {
      const ref = refOf(object);
      if (!cache.has(kind, ref)) this.#memory.delete(idOf(kind, ref));
    });
  }

  /**
   * Server-side apply. At rest, with the same wish and nothing changed since, no request is made. An object that is being
   * deleted is left alone.
   *
   * @param owner uid of the resource it is made for, where that is not the one that will own it: one that is to outlive
   *   the resource may still be owned by it
   * @throws {NameTakenError} when an object of that name is not ours
   * @throws {StaleCacheError} when it has a newer spec than the cache knows and this process did not make it
   * @throws {ApiError}
   */
  async apply(kind: Kind, desired: KubeObject, owner = controllerOf(desired)): Promise<ApplyResult> {
    const ref = refOf(desired);
    const memory = this.#memory.get(idOf(kind, ref));
    const cached = this.#cache.get(kind, ref);
    const wish = { desired, owner, manager: this.#manager };
    const familiar = memory !== undefined && cached !== undefined && isLabelledOurs(cached, wish);
    if (!familiar) return this.#applyWithLook(kind, wish, memory === undefined ? cached : undefined);
    if (cached.metadata.deletionTimestamp !== undefined) return 'unchanged';
    if (memory.desired === digest(desired) && isAsRemembered(cached, memory)) return 'unchanged';
    const live = await this.#send(kind, desired, true);
    const { resourceVersion } = live.metadata;
    return resourceVersion === cached.metadata.resourceVersion || resourceVersion === memory.version
      ? 'unchanged'
      : 'configured';
  }

  /**
   * True while the cache does not show the spec that was applied: its status then tells of an older one, however good it
   * looks.
   */
  isAhead(kind: Kind, ref: ObjectRef): boolean {
    const memory = this.#memory.get(idOf(kind, ref));
    if (memory === undefined) return false;
    const cached = this.#cache.get(kind, ref);
    return cached === undefined || (cached.metadata.generation ?? 0) < memory.generation;
  }

  /**
   * Deletes the object that is meant and no other: after a live look, by uid and resource version.
   *
   * @param object as it was observed; its uid counts
   * @throws {ApiError}
   */
  async remove(kind: Kind, object: KubeObject, options: RemoveOptions = {}): Promise<RemoveResult> {
    const ref = refOf(object);
    try {
      const live = await this.#client.get(kind, ref);
      const { uid, resourceVersion, deletionTimestamp } = live.metadata;
      if (uid === undefined || uid !== object.metadata.uid || deletionTimestamp !== undefined) return 'gone';
      if (options.confirm?.(live) === false) return 'kept';
      const preconditions = resourceVersion === undefined ? { uid } : { uid, resourceVersion };
      const { propagationPolicy = 'Background' } = options;
      await this.#client.delete(kind, ref, { preconditions, propagationPolicy });
      return 'deleted';
    } catch (error) {
      if (isNotFound(error)) return 'gone';
      if (isConflict(error)) return 'kept';
      throw error;
    }
  }

  /** The first time, and whenever the cache does not show what was applied: nothing is overwritten unseen. */
  async #applyWithLook(kind: Kind, wish: Ownership, cached: KubeObject | undefined): Promise<ApplyResult> {
    const { desired } = wish;
    const before = await this.#look(kind, wish);
    if (cached !== undefined && (before?.metadata.generation ?? 0) > (cached.metadata.generation ?? 0)) {
      throw new StaleCacheError(`${kind.kind} ${keyOf(refOf(desired))} is newer than what was seen of it`);
    }
    if (before === undefined) {
      try {
        await this.#send(kind, desired, false);
        return 'created';
      } catch (error) {
        // Somebody made it since: whether that is ours the second look tells.
        if (!isConflict(error)) throw error;
        return this.#applyOver(kind, desired, await this.#look(kind, wish));
      }
    }
    return this.#applyOver(kind, desired, before);
  }

  async #applyOver(kind: Kind, desired: KubeObject, before: KubeObject | undefined): Promise<ApplyResult> {
    if (before?.metadata.deletionTimestamp !== undefined) return 'unchanged';
    const live = await this.#send(kind, desired, true);
    if (before === undefined) return 'created';
    return live.metadata.resourceVersion === before.metadata.resourceVersion ? 'unchanged' : 'configured';
  }

  async #look(kind: Kind, wish: Ownership): Promise<KubeObject | undefined> {
    const ref = refOf(wish.desired);
    let live: KubeObject;
    try {
      live = await this.#client.get(kind, ref);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    if (!isOurs(live, wish)) throw new NameTakenError(kind.kind, keyOf(ref));
    return live;
  }

  async #send(kind: Kind, desired: KubeObject, force: boolean): Promise<KubeObject> {
    const ref = refOf(desired);
    const versionBefore = this.#cache.get(kind, ref)?.metadata.resourceVersion;
    const live = await this.#apply(kind, desired, force);
    const { resourceVersion: version, generation = 0 } = live.metadata;
    this.#memory.set(idOf(kind, ref), {
      desired: digest(desired),
      live: digestOfLive(live),
      generation,
      version,
      versionBefore,
    });
    return live;
  }

  /** An object that is refused may be right but for what the apply would make of fields it takes away. */
  async #apply(kind: Kind, desired: KubeObject, force: boolean): Promise<KubeObject> {
    const options = { fieldManager: this.#manager, force };
    try {
      return await this.#client.apply(kind, desired, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 422 || !force) throw error;
      const ref = refOf(desired);
      const live = await this.#client.get(kind, ref);
      const patch = emptiedFields(live, desired, this.#manager);
      if (patch === undefined) throw error;
      const { resourceVersion } = live.metadata;
      await this.#client.patch(kind, ref, { ...patch, metadata: { resourceVersion } }, options);
      return this.#client.apply(kind, desired, options);
    }
  }
}

function isAsRemembered(cached: KubeObject, memory: Memory): boolean {
  const { resourceVersion } = cached.metadata;
  return resourceVersion === memory.versionBefore || digestOfLive(cached) === memory.live;
}

/**
 * What of an object is not made by a write of somebody else's status. Of a Secret the cache has no content, so there the
 * resource version stands for it, and a Secret has no status.
 */
function digestOfLive(object: KubeObject): string {
  const { status: _, metadata, ...rest } = object;
  const { resourceVersion, ...stable } = metadata;
  for (const field of ['generation', 'managedFields']) Reflect.deleteProperty(stable, field);
  if (object.kind === 'Secret') return digest({ resourceVersion });
  return digest({ ...rest, metadata: stable });
}

function refOf({ metadata: { namespace, name } }: KubeObject): ObjectRef {
  return namespace === undefined ? { name } : { namespace, name };
}

function idOf(kind: Kind, ref: ObjectRef): string {
  return `${kind.apiVersion}/${kind.kind}/${keyOf(ref)}`;
}
