import { identityOf, kindOf, uuidTime, weekOf } from '@claude-nexus/domain';
import type { Identity, KindSignals } from '@claude-nexus/domain';
import { decodeContent } from '@claude-nexus/protocol';
import type { JournalExchange } from '../journal/types.ts';
import type { BodyCutter, BodyFacts, CutBody } from '../store/index.ts';
import { readFacts } from '../store/index.ts';
import type { DecodedRequest } from './exchange.ts';
import { sessionKeyOf } from '../session-key.ts';
import { contentEncoding, headerValue } from '../headers.ts';

/** A request that decodes to more than this is stored, but not read for its facts. */
const MAX_DECODED_BYTES = 64 * 1024 * 1024;

/**
 * Decodes the request side of an exchange.
 *
 * @param cutter holds the memory of the last body of each session; requests must come in journal order
 */
export function decodeRequest(exchange: JournalExchange, cutter: BodyCutter): DecodedRequest {
  const { begin } = exchange;
  const week = weekOf(uuidTime(exchange.id));
  const encoding = contentEncoding(begin.headers);
  const complete = exchange.requestComplete && !exchange.damaged;
  const body = begin.recordBody ? cutRequest({ exchange, cutter, week, complete }) : undefined;
  const facts = encoding === undefined || body === undefined ? body?.facts : decodedFacts(exchange, encoding);
  const headers = (name: string): string | undefined => headerValue(begin.headers, name);
  const identity = identityOf({ headers, userId: facts?.userId });
  return {
    identity,
    kind: kindOf({ path: begin.path, ...kindSignals(identity, facts) }),
    week,
    headers: begin.headers,
    body,
    complete,
    length: exchange.end?.requestLength ?? exchange.requestLength,
    contentEncoding: encoding,
    userAgent: headers('user-agent'),
    model: facts?.model,
    streaming: facts?.stream ?? false,
    messageCount: facts?.messageCount,
  };
}

/**
 * What the kind is told by. A session id or an attribution line marks Claude Code: for any other client a JSON
 * schema without tools is an ordinary structured answer, not a title request.
 */
function kindSignals(identity: Identity, facts: BodyFacts | undefined): Omit<KindSignals, 'path'> {
  return {
    requestClass: identity.requestClass,
    agentId: identity.agentId,
    ...(facts !== undefined && {
      attribution: facts.attribution,
      toolCount: facts.toolCount,
      hasJsonSchema: facts.hasJsonSchema,
      maxTokens: facts.maxTokens,
      firstText: facts.firstText,
      lastText: facts.lastUserText,
      systemText: facts.systemText,
      fromClaudeCode: identity.sessionId !== undefined || facts.attribution !== undefined,
    }),
  };
}

function cutRequest(options: {
  exchange: JournalExchange;
  cutter: BodyCutter;
  week: number;
  complete: boolean;
}): CutBody {
  const { exchange, cutter, week, complete } = options;
  const sessionKey = complete ? sessionKeyOf(exchange.begin) : undefined;
  // The first body of a session is kept as it is; of a later one only what is new.
  const isTransient = sessionKey !== undefined && cutter.remembers(sessionKey);
  const body = exchange.requestBody((bytes) =>
    isTransient ? cutter.scratch.take(bytes) : cutter.room(bytes),
  );
  return cutter.cut({ week, body, isTransient, ...(sessionKey !== undefined && { sessionKey }) });
}

function decodedFacts(exchange: JournalExchange, encoding: string): BodyFacts | undefined {
  const decoded = decodeContent(encoding, exchange.requestBody(), MAX_DECODED_BYTES);
  return decoded === undefined || decoded.truncated ? undefined : readFacts(decoded.bytes);
}
