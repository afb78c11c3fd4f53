import type { ResponseContent } from '@claude-nexus/api-contract';
import type { StoredBody } from '../store.ts';
import { toBlocks } from './blocks.ts';
import { shorten } from './budget.ts';
import type { ContentBudget } from './budget.ts';
import { isObject, member, nameMember } from './json-values.ts';
import type { JsonObject } from './json-values.ts';
import { parseBody } from './parse-body.ts';
import type { ParsedBody } from './parse-body.ts';
import { printJson } from './print-json.ts';

const USAGE_TEXT = 8_192;
const ERROR_TEXT = 4_096;

/** The answer for reading: a message, an error or the reason why neither can be shown. */
export function toResponseContent(
  body: { readonly stored: StoredBody; readonly url: string } | undefined,
  budget: ContentBudget,
): ResponseContent {
  if (body === undefined) return emptyResponse(null);
  const { stored, url } = body;
  const parsed = parseAnswer(stored);
  const base = { ...emptyResponse(url), complete: stored.complete };
  if ('problem' in parsed) return { ...base, parseError: parsed.problem };
  const { object } = parsed;
  const error = errorOf(object);
  const message = Array.isArray(member(object, 'content')) ? readMessage(object, budget) : null;
  const parseError = error === null && message === null ? 'The body is JSON, but not a message.' : null;
  return { ...base, parseError, error, message, truncated: budget.cut };
}

function parseAnswer(stored: StoredBody): ParsedBody {
  if (stored.complete) return parseBody(stored);
  if (stored.partialMessage !== undefined)
    return parseBody({ bytes: stored.partialMessage, encoding: undefined });
  return { problem: 'The answer was cut before a message began, or could not be understood.' };
}

function readMessage(message: JsonObject, budget: ContentBudget): NonNullable<ResponseContent['message']> {
  const { blocks, omitted } = toBlocks(member(message, 'content'), budget);
  const usage = member(message, 'usage');
  return {
    role: nameMember(message, 'role') ?? 'assistant',
    model: nameMember(message, 'model'),
    stopReason: nameMember(message, 'stop_reason'),
    blocks,
    blocksOmitted: omitted,
    usageJson: usage === undefined ? null : printJson(usage, USAGE_TEXT).text,
  };
}

/** An error body, or the error event of a stream, which an assembled message carries among its `_stream` events. */
function errorOf(object: JsonObject): ResponseContent['error'] {
  const own = toError(member(object, 'error'));
  if (own !== null) return own;
  const stream = member(object, '_stream');
  const events = isObject(stream) ? member(stream, 'events') : undefined;
  if (!Array.isArray(events)) return null;
  const failed: unknown = events.find((event) => isObject(event) && member(event, 'event') === 'error');
  const data = isObject(failed) ? member(failed, 'data') : undefined;
  return isObject(data) ? toError(member(data, 'error')) : null;
}

function toError(value: unknown): ResponseContent['error'] {
  if (!isObject(value)) return null;
  const message = member(value, 'message');
  return {
    type: nameMember(value, 'type') ?? 'error',
    message: typeof message === 'string' ? shorten(message, ERROR_TEXT).text : '',
  };
}

function emptyResponse(bodyUrl: string | null): ResponseContent {
  return { parseError: null, bodyUrl, truncated: false, complete: false, message: null, error: null };
}
