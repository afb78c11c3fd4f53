import { Type } from 'typebox';
import type { Static } from 'typebox';
import { RequestContent, ResponseContent } from './content.ts';
import { summaryMembers } from './requests.ts';
import { Count, nullable } from './scalars.ts';
import { requestForms, responseForms } from './vocabulary.ts';

/** `[name, value]` as sent; the value is null when only the name is stored. */
export const HeaderPair = Type.Unsafe<[name: string, value: string | null]>({
  type: 'array',
  items: { type: ['string', 'null'] },
  minItems: 2,
  maxItems: 2,
  description: '[name, value]; value null when only the name is stored',
});
export type HeaderPair = Static<typeof HeaderPair>;

/** How the request was tied to a conversation, and how sure that is. */
export const Linkage = Type.Object(
  {
    signal: Type.String({ description: 'which evidence tied it to its parent' }),
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
  },
  { title: 'Linkage' },
);
export type Linkage = Static<typeof Linkage>;

/** When the pieces of the answer arrived. `atMs[i]` (since the start of the request) belongs to `bytes[i]`. */
export const Timing = Type.Object(
  {
    atMs: Type.Array(Count),
    bytes: Type.Array(Count),
    truncated: Type.Boolean({ description: 'later chunks were left out' }),
  },
  { title: 'Timing' },
);
export type Timing = Static<typeof Timing>;

/** How the two bodies are stored. Lengths are those on the wire; SHA-256 in hex. */
export const StorageInfo = Type.Object(
  {
    requestForm: Type.Enum([...requestForms]),
    requestLength: Count,
    requestSha256: nullable(Type.String()),
    requestEncoding: nullable(Type.String({ description: 'Content-Encoding of the stored request bytes' })),
    responseForm: Type.Enum([...responseForms]),
    responseLength: Count,
    responseSha256: nullable(Type.String()),
    responseEncoding: nullable(Type.String({ description: 'Content-Encoding on the wire' })),
    recorderId: Type.String(),
  },
  { title: 'StorageInfo' },
);
export type StorageInfo = Static<typeof StorageInfo>;

/** Everything about one exchange. */
export const RequestDetail = Type.Object(
  {
    ...summaryMembers,
    method: Type.String(),
    path: Type.String({ description: 'with the query string' }),
    clientKeyName: nullable(Type.String()),
    promptId: nullable(Type.String()),
    requestClass: nullable(Type.String()),
    agentType: nullable(Type.String()),
    deviceId: nullable(Type.String()),
    accountUuid: nullable(Type.String()),
    userAgent: nullable(Type.String()),
    errorMessage: nullable(Type.String()),
    serviceTier: nullable(Type.String()),
    thinkingTokens: nullable(Count),
    webFetchRequests: nullable(Count),
    requestHeaders: Type.Array(HeaderPair),
    responseHeaders: Type.Array(HeaderPair),
    request: RequestContent,
    response: ResponseContent,
    linkage: nullable(Linkage),
    timing: nullable(Timing),
    storage: StorageInfo,
  },
  { title: 'RequestDetail' },
);
export type RequestDetail = Static<typeof RequestDetail>;
