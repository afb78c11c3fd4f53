import {
  RequestDetail,
  RequestIdParams,
  RequestList,
  RequestListQuery,
  pageLimit,
} from '@claude-nexus/api-contract';
import type { FastifyReply } from 'fastify';
import { BodyNotStoredError } from '../errors.ts';
import { sendCached } from '../http/send-cached.ts';
import { Turnstile } from '../http/turnstile.ts';
import { BODY_TYPES, bodyHeaders } from '../requests/body-headers.ts';
import { decodeCursor, encodeCursor } from '../requests/cursor.ts';
import { readDetail } from '../requests/detail.ts';
import { toFilters } from '../requests/filters.ts';
import type { DashboardStore, StoredBody } from '../store.ts';
import type { App, RouteContext } from './context.ts';
import { json, other, responses } from './responses.ts';

/** Requests whose bodies are rebuilt and parsed at the same time. */
const BODIES_AT_ONCE = 4;

const UNAVAILABLE = { 503: 'the database does not answer' };
const MISSING = { 400: 'not a request id', 404: 'not stored', ...UNAVAILABLE };

const listSchema = {
  summary: 'List requests, newest first',
  tags: ['requests'],
  querystring: RequestListQuery,
  response: responses(
    { 200: json('a page', RequestList) },
    { 400: 'a parameter is refused', ...UNAVAILABLE },
  ),
};

const detailSchema = {
  summary: 'Everything about one request',
  tags: ['requests'],
  params: RequestIdParams,
  response: responses({ 200: json('the request', RequestDetail) }, MISSING),
};

const bodySchema = {
  summary: 'The exact bytes of a body; for a complete stream the message it amounts to',
  description: 'Bytes in a content coding are sent as stored; nexus-stored-encoding names the coding.',
  tags: ['requests'],
  params: RequestIdParams,
  response: responses({ 200: other('the bytes', ...BODY_TYPES) }, MISSING),
};

/** `/api/requests` and what belongs to one request. */
export function requestRoutes(app: App, { store, cache }: RouteContext): void {
  const bodies = new Turnstile(BODIES_AT_ONCE);

  app.get('/requests', { schema: listSchema }, async (request, reply) => {
    const { query } = request;
    const filters = toFilters(query);
    const before = query.cursor === undefined ? {} : { before: decodeCursor(query.cursor) };
    const page = { limit: query.limit ?? pageLimit.default, ...before };
    return sendCached(request, reply, await cache.get(request.url, () => list(store, filters, page)));
  });

  app.get('/requests/:id', { schema: detailSchema }, async (request, reply) => {
    const id = request.params.id.toLowerCase();
    return sendCached(
      request,
      reply,
      await cache.get(request.url, () => bodies.run(() => readDetail(store, id))),
    );
  });

  app.get('/requests/:id/request-body', { schema: bodySchema }, async (request, reply) => {
    const id = request.params.id.toLowerCase();
    return sendBody(reply, await bodies.run(() => store.readRequestBody(id)), `${id}-request`);
  });

  app.get('/requests/:id/response-body', { schema: bodySchema }, async (request, reply) => {
    const id = request.params.id.toLowerCase();
    return sendBody(reply, await bodies.run(() => store.readResponseBody(id)), `${id}-response`);
  });
}

async function list(
  store: DashboardStore,
  ...[filters, page]: Parameters<DashboardStore['listRequests']>
): Promise<RequestList> {
  const { requests, nextBefore } = await store.listRequests(filters, page);
  return { requests, nextCursor: nextBefore === undefined ? null : encodeCursor(nextBefore) };
}

function sendBody(reply: FastifyReply, body: StoredBody | undefined, name: string): FastifyReply {
  if (body === undefined) throw new BodyNotStoredError();
  return reply.headers(bodyHeaders(body, name)).send(body.bytes);
}
