import type { AssembledMessage } from '@claude-nexus/protocol';
import { decodeContent, MessageAssembler, readMessage, SseDecoder } from '@claude-nexus/protocol';
import type { JournalExchange, StoredHead } from '../journal/types.ts';
import { cutResponse, Scratch } from '../store/index.ts';
import type { DecodedResponse } from './exchange.ts';
import { contentEncoding, headerValue, mediaType } from '../headers.ts';

/** Limit for what a compressed answer may grow to; the bytes on the wire are kept whatever happens here. */
const MAX_DECODED_BYTES = 64 * 1024 * 1024;

/** Streams are read to it: of a stream, only what is made of it stays. */
const scratch = new Scratch();

/** Decodes the answer of a closed exchange. */
export function decodeResponse(exchange: JournalExchange): DecodedResponse {
  const { head } = exchange;
  if (head === undefined) return { ...nothing(), length: exchange.end?.responseLength ?? 0 };
  const common = {
    ...nothing(),
    headers: head.headers,
    contentEncoding: contentEncoding(head.headers),
    upstreamRequestId: headerValue(head.headers, 'request-id'),
    streamed: mediaType(head.headers) === 'text/event-stream',
    length: exchange.end?.responseLength ?? exchange.responseLength,
  };
  if (!exchange.begin.recordBody) return common;
  const { bytes, chunks } = exchange.response(common.streamed ? (length) => scratch.take(length) : undefined);
  const recorded = { ...common, length: bytes.length, chunks };
  if (bytes.length === 0) return recorded;
  return recorded.streamed ? decodeStream(recorded, exchange, bytes) : decodeWhole(recorded, head, bytes);
}

function nothing(): DecodedResponse {
  return {
    headers: [],
    contentEncoding: undefined,
    upstreamRequestId: undefined,
    streamed: false,
    message: undefined,
    usage: undefined,
    firstTokenMs: undefined,
    form: 'none',
    length: 0,
    body: undefined,
    raw: undefined,
    chunks: [],
  };
}

function decodeWhole(response: DecodedResponse, head: StoredHead, bytes: Buffer): DecodedResponse {
  const isJson = mediaType(head.headers)?.endsWith('json') ?? false;
  const decoded = isJson ? decodeContent(response.contentEncoding, bytes, MAX_DECODED_BYTES) : undefined;
  const message = decoded === undefined || decoded.truncated ? undefined : readMessage(decoded.bytes);
  return { ...response, form: 'exact', body: cutResponse(bytes), message, usage: message?.usage };
}

function decodeStream(response: DecodedResponse, exchange: JournalExchange, bytes: Buffer): DecodedResponse {
  const encoding = response.contentEncoding;
  const decoded = decodeContent(encoding, bytes, MAX_DECODED_BYTES);
  if (decoded === undefined) return { ...response, form: 'raw', raw: Buffer.from(bytes) };
  const { message, firstContentEnd, valid } = assemble(decoded.bytes);
  const whole = valid && message.complete && !decoded.truncated && !exchange.damaged;
  return {
    ...response,
    message,
    usage: message.usage,
    firstTokenMs: arrivalOf(firstContentEnd, response.chunks, encoding === undefined),
    form: whole ? 'message' : 'raw',
    body: message.json === undefined ? undefined : cutResponse(Buffer.from(message.json)),
    raw: whole ? undefined : Buffer.from(bytes),
  };
}

function assemble(stream: Buffer): {
  message: AssembledMessage;
  firstContentEnd: number | undefined;
  valid: boolean;
} {
  const assembler = new MessageAssembler();
  const decoder = new SseDecoder(assembler);
  decoder.push(stream);
  decoder.end();
  const message = assembler.result();
  return { message, firstContentEnd: assembler.firstContentEnd, valid: decoder.valid && message.valid };
}

/**
 * When the byte before `offset` arrived, in milliseconds after the start. Offsets of a compressed stream say
 * nothing about its chunks: there the first chunk stands for the first content.
 */
function arrivalOf(
  offset: number | undefined,
  chunks: readonly number[],
  plain: boolean,
): number | undefined {
  if (offset === undefined) return undefined;
  if (!plain) return chunks[0];
  let seen = 0;
  for (let index = 0; index < chunks.length; index += 2) {
    seen += chunks[index + 1] as number;
    if (seen >= offset) return chunks[index];
  }
  return undefined;
}
