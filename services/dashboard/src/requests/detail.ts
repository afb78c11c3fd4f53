import type { RequestDetail } from '@claude-nexus/api-contract';
import { ContentBudget } from '../content/budget.ts';
import { parseBody } from '../content/parse-body.ts';
import type { ParsedBody } from '../content/parse-body.ts';
import { toRequestContent } from '../content/request-content.ts';
import { toResponseContent } from '../content/response-content.ts';
import { BodyCorruptError, RequestNotFoundError } from '../errors.ts';
import type { DashboardStore, StoredBody } from '../store.ts';

const CORRUPT = { problem: 'The stored body is damaged: it does not match its checksum.' };

/**
 * Everything about one request. A body that cannot be shown leaves a reason in its place and never fails the rest.
 *
 * @throws {RequestNotFoundError} when there is none with this id
 */
export async function readDetail(store: DashboardStore, id: string): Promise<RequestDetail> {
  const exchange = await store.findExchange(id);
  if (exchange === undefined) throw new RequestNotFoundError();
  const [request, response] = await Promise.all([
    readable(() => store.readRequestBody(id)),
    readable(() => store.readResponseBody(id)),
  ]);
  const { summary, facts, requestHeaders, responseHeaders, timing, storage } = exchange;
  const budget = new ContentBudget();
  // The answer goes first: in a long conversation the request would leave no room for it.
  const responseContent = responseOf(response, id, budget);
  const requestContent = toRequestContent(
    request && { parsed: parsedOf(request), url: `${urlOf(id)}/request-body` },
    budget,
  );
  return {
    ...summary,
    ...facts,
    requestHeaders,
    responseHeaders,
    request: requestContent,
    response: responseContent,
    linkage: null,
    timing,
    storage,
  };
}

type Readable = { readonly stored: StoredBody } | { readonly corrupt: true } | undefined;

async function readable(read: () => Promise<StoredBody | undefined>): Promise<Readable> {
  try {
    const stored = await read();
    return stored && { stored };
  } catch (error) {
    if (error instanceof BodyCorruptError) return { corrupt: true };
    throw error;
  }
}

function parsedOf(body: NonNullable<Readable>): ParsedBody {
  return 'stored' in body ? parseBody(body.stored) : CORRUPT;
}

function responseOf(body: Readable, id: string, budget: ContentBudget): RequestDetail['response'] {
  const url = `${urlOf(id)}/response-body`;
  if (body === undefined || 'stored' in body) return toResponseContent(body && { ...body, url }, budget);
  return { ...toResponseContent(undefined, budget), bodyUrl: url, parseError: CORRUPT.problem };
}

function urlOf(id: string): string {
  return `api/requests/${id}`;
}
