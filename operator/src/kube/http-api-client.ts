import type {
  ApiClient,
  ApplyOptions,
  DeleteOptions,
  ListOptions,
  WatchEvent,
  WatchOptions,
} from './api-client.ts';
import { toApiError } from './api-status.ts';
import { ApiUnreachableError } from './errors.ts';
import type { HttpTransport, TransportAnswer, TransportRequest } from './http-transport.ts';
import type { Kind } from './kinds.ts';
import { LineSplitter } from './line-splitter.ts';
import { keyOf } from './object.ts';
import type { KubeList, KubeObject, ObjectRef } from './object.ts';
import { collectionPath, groupPath, objectPath } from './resource-path.ts';

const MAX_LINE_BYTES = 32 * 1024 * 1024;
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

interface Call extends TransportRequest {
  readonly kind: Kind;
  /** What is asked for, for error texts. */
  readonly what: string;
}

/** The API server over HTTP. Bodies are plain JSON in both directions. */
export class HttpApiClient implements ApiClient {
  readonly #transport: HttpTransport;

  constructor(transport: HttpTransport) {
    this.#transport = transport;
  }

  get(kind: Kind, ref: ObjectRef): Promise<KubeObject> {
    return this.#object({ kind, method: 'GET', path: objectPath(kind, ref), what: say('get', kind, ref) });
  }

  async list(kind: Kind, options: ListOptions): Promise<KubeList> {
    const path = collectionPath(kind, options.namespace);
    const search = query({
      labelSelector: options.labelSelector,
      limit: options.limit,
      continue: options.continue,
    });
    const list = (await this.#json({
      kind,
      method: 'GET',
      path: path + search,
      what: `list ${kind.kind}`,
      signal: options.signal,
      ...(options.metadataOnly === true ? { accept: METADATA_LIST } : {}),
    })) as Partial<KubeList> & Pick<KubeList, 'metadata'>;
    return { metadata: list.metadata, items: (list.items ?? []).map((item) => named(kind, item)) };
  }

  async watch(kind: Kind, options: WatchOptions, onEvent: (event: WatchEvent) => void): Promise<void> {
    const search = query({
      watch: 1,
      allowWatchBookmarks: true,
      labelSelector: options.labelSelector,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: options.timeoutSeconds,
    });
    const call: Call = {
      kind,
      method: 'GET',
      path: collectionPath(kind, options.namespace) + search,
      what: `watch ${kind.kind}`,
      ...(options.metadataOnly === true ? { accept: METADATA } : {}),
    };
    const lines = new LineSplitter(MAX_LINE_BYTES, (line) => onEvent(toEvent(call, line)));
    const answer = await this.#transport.stream({ ...call, signal: options.signal }, (chunk) =>
      lines.push(chunk),
    );
    if (answer.status !== 200) throw failed(call, answer);
    if (!options.signal.aborted) lines.end();
  }

  create(kind: Kind, object: KubeObject, options?: { fieldManager: string }): Promise<KubeObject> {
    const { namespace } = object.metadata;
    if (kind.namespaced && namespace === undefined) throw new TypeError(`${kind.kind} needs a namespace`);
    return this.#object({
      kind,
      method: 'POST',
      path: collectionPath(kind, namespace) + query({ fieldManager: options?.fieldManager }),
      body: JSON.stringify(object),
      what: say('create', kind, object.metadata),
    });
  }

  replace(kind: Kind, object: KubeObject, options?: { fieldManager: string }): Promise<KubeObject> {
    return this.#object({
      kind,
      method: 'PUT',
      path: objectPath(kind, object.metadata) + query({ ...options }),
      body: JSON.stringify(object),
      what: say('replace', kind, object.metadata),
    });
  }

  apply(kind: Kind, object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    const search = query({ fieldManager: options.fieldManager, force: options.force });
    return this.#object({
      kind,
      method: 'PATCH',
      path: objectPath(kind, object.metadata, options.subresource) + search,
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(object),
      what: say('apply', kind, object.metadata),
    });
  }

  patch(
    kind: Kind,
    ref: ObjectRef,
    patch: unknown,
    options: { fieldManager: string; subresource?: 'status' },
  ): Promise<KubeObject> {
    return this.#object({
      kind,
      method: 'PATCH',
      path: objectPath(kind, ref, options.subresource) + query({ fieldManager: options.fieldManager }),
      contentType: 'application/merge-patch+json',
      body: JSON.stringify(patch),
      what: say('patch', kind, ref),
    });
  }

  async delete(kind: Kind, ref: ObjectRef, options: DeleteOptions): Promise<void> {
    await this.#json({
      kind,
      method: 'DELETE',
      path: objectPath(kind, ref),
      body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', ...options }),
      what: say('delete', kind, ref),
    });
  }

  async kindsOf(apiVersion: string): Promise<ReadonlySet<string>> {
    const what = `discover ${apiVersion}`;
    const answer = await this.#transport.send({ method: 'GET', path: groupPath(apiVersion) });
    if (answer.status === 404) return new Set();
    if (answer.status !== 200) throw failed({ what }, answer);
    const { resources = [] } = parse(what, answer.body) as { resources?: { name: string; kind: string }[] };
    return new Set(resources.filter(({ name }) => !name.includes('/')).map(({ kind }) => kind));
  }

  async #object(call: Call): Promise<KubeObject> {
    return named(call.kind, (await this.#json(call)) as KubeObject);
  }

  async #json(call: Call): Promise<unknown> {
    const answer = await this.#transport.send(call);
    if (answer.status < 200 || answer.status > 299) throw failed(call, answer);
    return parse(call.what, answer.body);
  }
}

function say(verb: string, kind: Kind, { namespace, name }: ObjectRef): string {
  return `${verb} ${kind.kind} ${keyOf(namespace === undefined ? { name } : { namespace, name })}`;
}

/** Items of a list come without kind; those of a metadata list with another one. */
function named(kind: Kind, object: KubeObject): KubeObject {
  if (object.kind === kind.kind && object.apiVersion === kind.apiVersion) return object;
  return { ...object, apiVersion: kind.apiVersion, kind: kind.kind };
}

function toEvent(call: Call, line: string): WatchEvent {
  const event = parse(call.what, line) as { type: WatchEvent['type'] | 'ERROR'; object: KubeObject };
  const { type, object } = event;
  if (type === 'ERROR')
    throw toApiError({ what: call.what, status: 500, body: object, secret: isSecret(call) });
  return { type, object: named(call.kind, object) };
}

function failed(call: Pick<Call, 'what'> & { kind?: Kind }, answer: TransportAnswer): Error {
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString('utf8'));
  } catch {
    // A proxy's page, or nothing at all.
  }
  const { status, retryAfter } = answer;
  return toApiError({ what: call.what, status, retryAfter, body, secret: isSecret(call) });
}

function isSecret(call: { kind?: Kind }): boolean {
  return call.kind?.kind === 'Secret';
}

/** JSON.parse quotes what it cannot read, which may be a Secret: its message is not passed on. */
function parse(what: string, body: Buffer | string): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    throw new ApiUnreachableError(`${what}: the API server sent something that is no JSON`);
  }
}

function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}
