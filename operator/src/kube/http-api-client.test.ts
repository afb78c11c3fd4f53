import http from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import type { WatchEvent } from './api-client.ts';
import type { Credentials } from './credentials.ts';
import { ApiUnreachableError } from './errors.ts';
import { HttpApiClient } from './http-api-client.ts';
import { HttpTransport } from './http-transport.ts';
import { KINDS } from './kinds.ts';
import { createOperatorMetrics } from './metrics.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Harness {
  client: HttpApiClient;
  seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  metrics: () => Promise<string>;
}

async function harness(answer: RequestListener, requestTimeoutMs = 30_000): Promise<Harness> {
  const seen: Harness['seen'] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new http.Agent({ keepAlive: true });
  let asked = 0;
  const credentials: Credentials = {
    server: new URL(`http://127.0.0.1:${port}/prefix/`),
    namespace: 'default',
    connection: () => Promise.resolve({ agent, headers: { authorization: `Bearer token-${++asked}` } }),
    close: () => agent.destroy(),
  };
  cleanups.push(() => {
    credentials.close();
    server.closeAllConnections();
    server.close();
  });
  const metrics = createOperatorMetrics({ processMetrics: false });
  const transport = new HttpTransport({ credentials, userAgent: 'test/1', requestTimeoutMs, metrics });
  return { client: new HttpApiClient(transport), seen, metrics: () => metrics.registry.metrics() };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

const ref = { namespace: 'a/b', name: 'x?y' };
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref, data: { k: 'v' }, future: [1, null] };
const signal = new AbortController().signal;
const WATCH = { resourceVersion: '7', timeoutSeconds: 60, signal };

describe('HttpApiClient', () => {
  it.each<[string, (client: HttpApiClient) => Promise<unknown>, string, string | undefined]>([
    [
      'get',
      (c) => c.get(KINDS.ConfigMap, ref),
      'GET /prefix/api/v1/namespaces/a%2Fb/configmaps/x%3Fy',
      undefined,
    ],
    [
      'apply to the status',
      (c) => c.apply(KINDS.Deployment, object, { fieldManager: 'm', force: true, subresource: 'status' }),
      'PATCH /prefix/apis/apps/v1/namespaces/a%2Fb/deployments/x%3Fy/status?fieldManager=m&force=true',
      'application/apply-patch+yaml',
    ],
    [
      'merge patch',
      (c) => c.patch(KINDS.ConfigMap, ref, { data: null }, { fieldManager: 'm' }),
      'PATCH /prefix/api/v1/namespaces/a%2Fb/configmaps/x%3Fy?fieldManager=m',
      'application/merge-patch+json',
    ],
    [
      'create',
      (c) => c.create(KINDS.ConfigMap, object, { fieldManager: 'm' }),
      'POST /prefix/api/v1/namespaces/a%2Fb/configmaps?fieldManager=m',
      'application/json',
    ],
    [
      'list a page',
      (c) => c.list(KINDS.ConfigMap, { labelSelector: 'a=b', limit: 5, continue: 'token' }),
      'GET /prefix/api/v1/configmaps?labelSelector=a%3Db&limit=5&continue=token',
      undefined,
    ],
  ])('sends %s with path, content type and fresh credentials', async (_, call, line, contentType) => {
    const { client, seen } = await harness(json(200, { ...object, items: [] }));
    await call(client);
    await call(client);
    const [first, second] = seen;
    expect(`${first?.method} ${first?.url}`).toBe(line);
    expect(first?.headers['content-type']).toBe(contentType);
    expect([first, second].map((request) => request?.headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  it('leaves fields it knows nothing of as they are, both ways', async () => {
    const { client, seen } = await harness(json(200, object));
    expect(await client.replace(KINDS.ConfigMap, object)).toEqual(object);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual(object);
  });

  it('sends both preconditions with a delete', async () => {
    const { client, seen } = await harness(json(200, {}));
    const preconditions = { uid: 'u', resourceVersion: '5' };
    await client.delete(KINDS.ConfigMap, ref, { preconditions, propagationPolicy: 'Orphan' });
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ preconditions, propagationPolicy: 'Orphan' });
  });

  it.each([
    ['', 'ns'],
    ['..', 'ns'],
    ['x', undefined],
  ])('refuses the name %j in namespace %s: the path would mean something else', async (name, namespace) => {
    const { client } = await harness(json(200, object));
    const bad = namespace === undefined ? { name } : { name, namespace };
    expect(() => client.get(KINDS.ConfigMap, bad)).toThrow(TypeError);
  });

  it('asks for metadata only and names the kind of what comes', async () => {
    const item = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata: ref };
    const { client, seen } = await harness(json(200, { metadata: { resourceVersion: '1' }, items: [item] }));
    const list = await client.list(KINDS.Secret, { metadataOnly: true });
    expect(seen[0]?.headers.accept).toBe('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
    expect(list.items).toEqual([{ apiVersion: 'v1', kind: 'Secret', metadata: ref }]);
  });

  it('tells status, reason and when to come back', async () => {
    const body = { kind: 'Status', reason: 'TooManyRequests', message: 'slow down', code: 429 };
    const { client, metrics } = await harness(json(429, body, { 'retry-after': '7' }));
    await expect(client.get(KINDS.ConfigMap, ref)).rejects.toMatchObject({
      status: 429,
      reason: 'TooManyRequests',
      retryAfterSeconds: 7,
      message: 'get ConfigMap a/b/x?y: slow down',
    });
    expect(await metrics()).toMatch(
      /rest_client_requests_total\{code="429",method="GET",host="127.0.0.1:\d+"\} 1/,
    );
  });

  it('keeps of a refused Secret the reason and the fields, never the values', async () => {
    const body = {
      kind: 'Status',
      reason: 'Invalid',
      message: 'Secret is invalid: data.k: Invalid value: "MARKED"',
      code: 422,
      details: { causes: [{ field: 'data.k', message: 'Invalid value: "MARKED"' }] },
    };
    const { client } = await harness(json(422, body));
    const error = await client.get(KINDS.Secret, ref).catch((reason: unknown) => reason);
    expect(String(error)).toContain('get Secret a/b/x?y: Invalid (data.k)');
    expect(JSON.stringify(error) + String(error)).not.toContain('MARKED');
  });

  it.each<[string, RequestListener]>([
    ['is cut', (request) => request.socket.destroy()],
    ['never comes', () => undefined],
    [
      'stops in the middle',
      (_, response) => void response.writeHead(200, { 'content-length': 9 }).write('{"a"'),
    ],
    ['is no JSON', (_, response) => void response.end('MARKED')],
  ])('says so when the answer %s', async (_, answer) => {
    const { client } = await harness(answer, 50);
    const error = await client.get(KINDS.ConfigMap, ref).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiUnreachableError);
    expect(String(error)).not.toContain('MARKED');
  });

  it('reads a watch whatever way its bytes are cut, and takes its end for normal', async () => {
    const event = { type: 'ADDED', object: { ...object, data: { k: 'ü€😀' } } };
    const bytes = Buffer.from(`${JSON.stringify(event)}\n${JSON.stringify({ ...event, type: 'BOOKMARK' })}`);
    const { client, seen } = await harness((_, response) => {
      response.writeHead(200);
      const next = (at: number): void => {
        if (at >= bytes.length) return void response.end();
        response.write(bytes.subarray(at, at + 1), () => next(at + 1));
      };
      next(0);
    });
    const events: WatchEvent[] = [];
    await client.watch(KINDS.ConfigMap, WATCH, (received) => events.push(received));
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK']);
    expect(events[0]?.object).toEqual(event.object);
    expect(seen[0]?.url).toBe(
      '/prefix/api/v1/configmaps?watch=1&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=60',
    );
  });

  const expired = { kind: 'Status', reason: 'Expired', message: 'too old', code: 410 };
  it.each<[string, RequestListener]>([
    ['as an answer', json(410, expired)],
    ['in the stream', json(200, { type: 'ERROR', object: expired })],
  ])('rejects a watch whose version is gone with 410, told %s', async (_, answer) => {
    const { client } = await harness(answer);
    await expect(client.watch(KINDS.ConfigMap, WATCH, () => undefined)).rejects.toMatchObject({
      status: 410,
      reason: 'Expired',
    });
  });

  it('rejects a watch that breaks off, and ends one that is aborted', async () => {
    const cut = await harness((request, response) => {
      response.writeHead(200).write('{"type":"ADD');
      setImmediate(() => request.socket.destroy());
    });
    await expect(cut.client.watch(KINDS.ConfigMap, WATCH, () => undefined)).rejects.toThrow(
      ApiUnreachableError,
    );
    const silent = await harness((_, response) => void response.writeHead(200).write('\n'));
    const stop = new AbortController();
    const watch = silent.client.watch(KINDS.ConfigMap, { ...WATCH, signal: stop.signal }, () => undefined);
    stop.abort();
    await expect(watch).resolves.toBeUndefined();
  });

  it('knows the kinds of a group version, and none of an unknown one', async () => {
    const resources = [
      { name: 'deployments', kind: 'Deployment' },
      { name: 'deployments/scale', kind: 'Scale' },
    ];
    const known = await harness(json(200, { resources }));
    expect([...(await known.client.kindsOf('apps/v1'))]).toEqual(['Deployment']);
    const unknown = await harness(json(404, {}));
    expect((await unknown.client.kindsOf('a.b/v1')).size).toBe(0);
  });
});
