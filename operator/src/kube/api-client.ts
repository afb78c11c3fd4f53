import type { Kind } from './kinds.ts';
import type { KubeList, KubeObject, ObjectRef } from './object.ts';

export interface ListOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Objects per page. */
  readonly limit?: number;
  readonly continue?: string;
  /** Names, labels and owners only: contents never reach the operator. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly resourceVersion: string;
  /** After so long the server ends the watch, which is no failure. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** `ERROR` events do not get here: the watch rejects with the ApiError they carry. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Take fields over from other managers; without it a conflict is an ApiError with status 409. */
  readonly force: boolean;
  readonly subresource?: 'status';
}

export interface DeleteOptions {
  /** The delete fails with 409 when the object is another one by now. */
  readonly preconditions: { readonly uid: string; readonly resourceVersion?: string };
  readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * The API server, in verbs. Objects are plain JSON, so fields we have no type for survive.
 * Every method rejects with `ApiError` for an answer that is no success, and with `ApiUnreachableError` without one.
 */
export interface ApiClient {
  get(kind: Kind, ref: ObjectRef): Promise<KubeObject>;
  list(kind: Kind, options: ListOptions): Promise<KubeList>;
  /** Resolves when the server ends the watch; rejects when it breaks or an ERROR event arrives. */
  watch(kind: Kind, options: WatchOptions, onEvent: (event: WatchEvent) => void): Promise<void>;
  create(kind: Kind, object: KubeObject, options?: { fieldManager: string }): Promise<KubeObject>;
  /** PUT: fails with 409 unless `resourceVersion` is current. */
  replace(kind: Kind, object: KubeObject, options?: { fieldManager: string }): Promise<KubeObject>;
  /** Server-side apply. */
  apply(kind: Kind, object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** JSON merge patch. */
  patch(
    kind: Kind,
    ref: ObjectRef,
    patch: unknown,
    options: { fieldManager: string; subresource?: 'status' },
  ): Promise<KubeObject>;
  delete(kind: Kind, ref: ObjectRef, options: DeleteOptions): Promise<void>;
  /** Kinds a group version serves, by kind name; empty when the server does not know the group version. */
  kindsOf(apiVersion: string): Promise<ReadonlySet<string>>;
}
