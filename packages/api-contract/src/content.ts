import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Count, nullable } from './scalars.ts';

const blockMembers = {
  type: Type.String({ description: 'as in the body: text, thinking, tool_use, tool_result, image, ...' }),
  text: nullable(
    Type.String({ description: 'what there is to read; JSON text when textFormat is json; null for media' }),
  ),
  textFormat: Type.Enum(['text', 'json']),
  length: nullable(
    Type.Integer({
      minimum: 0,
      description: 'UTF-16 length of the complete text; null when it was not measured',
    }),
  ),
  truncated: Type.Boolean({ description: 'text is only the beginning; the raw body has all of it' }),
  toolName: nullable(Type.String({ description: 'of a tool call' })),
  toolUseId: nullable(Type.String({ description: 'joins a tool call and its result' })),
  isError: Type.Boolean({ description: 'a tool result that reports an error' }),
  mediaType: nullable(Type.String({ description: 'of an image or document' })),
  byteLength: nullable(Type.Integer({ minimum: 0, description: 'decoded size of inline media' })),
  cacheControl: Type.Boolean({ description: 'carries a cache breakpoint' }),
};

/** A block inside a tool result; these do not nest further. */
export const NestedBlock = Type.Object(blockMembers, { title: 'NestedBlock' });
export type NestedBlock = Static<typeof NestedBlock>;

/** One content block, flattened to what a page shows. Hostile content is data here: plain text, never markup. */
export const ContentBlock = Type.Object(
  {
    ...blockMembers,
    blocks: Type.Array(NestedBlock, { description: 'content of a tool result given as blocks' }),
  },
  { title: 'ContentBlock' },
);
export type ContentBlock = Static<typeof ContentBlock>;

/** One entry of `messages`. */
export const Message = Type.Object(
  {
    index: Type.Integer({ minimum: 0, description: 'position in messages of the body' }),
    role: Type.String(),
    blocks: Type.Array(ContentBlock),
    blocksOmitted: Type.Integer({ minimum: 0, description: 'blocks left out at the end' }),
  },
  { title: 'Message' },
);
export type Message = Static<typeof Message>;

/** A top-level member of a body other than its content, its value as JSON text. */
export const Parameter = Type.Object({ name: Type.String(), json: Type.String() }, { title: 'Parameter' });
export type Parameter = Static<typeof Parameter>;

/** The request body, parsed for reading. `parseError` says why there is nothing to show; the raw body is still there. */
export const RequestContent = Type.Object(
  {
    parseError: nullable(Type.String()),
    bodyUrl: nullable(Type.String({ description: 'exact bytes, relative to the application root' })),
    truncated: Type.Boolean({ description: 'something below was shortened or left out' }),
    model: nullable(Type.String()),
    maxTokens: nullable(Type.Integer()),
    parameters: Type.Array(Parameter),
    system: Type.Array(ContentBlock),
    tools: Type.Array(Type.String({ description: 'tool name' })),
    messages: Type.Array(Message),
    messagesOmitted: Type.Integer({ minimum: 0, description: 'messages left out at the beginning' }),
  },
  { title: 'RequestContent' },
);
export type RequestContent = Static<typeof RequestContent>;

/** The answer: a message, or an error, or a parseError. All three null while nothing has arrived. */
export const ResponseContent = Type.Object(
  {
    parseError: nullable(Type.String()),
    bodyUrl: nullable(Type.String({ description: 'exact bytes, relative to the application root' })),
    truncated: Type.Boolean(),
    complete: Type.Boolean({ description: 'false for a stream that was cut' }),
    message: nullable(
      Type.Object({
        role: Type.String(),
        model: nullable(Type.String()),
        stopReason: nullable(Type.String()),
        blocks: Type.Array(ContentBlock),
        blocksOmitted: Count,
        usageJson: nullable(Type.String({ description: 'usage object of the message as JSON text' })),
      }),
    ),
    error: nullable(Type.Object({ type: Type.String(), message: Type.String() })),
  },
  { title: 'ResponseContent' },
);
export type ResponseContent = Static<typeof ResponseContent>;
