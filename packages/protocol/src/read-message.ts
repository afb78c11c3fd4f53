import { isUtf8 } from 'node:buffer';

import { isJsonObject, parseJson } from './json-value.ts';
import type { JsonObject } from './json-value.ts';
import type { AssembledMessage } from './message-assembler.ts';
import { UsageAccumulator } from './usage.ts';

/**
 * Reads the decoded body of an answer that was not streamed: a message, or an error body
 * (`{"type":"error","error":{"type","message"}}`). `json` is the body as it came. Anything else (an HTML error page,
 * torn JSON, an object of another type) gives `complete: false`, and `valid: false` where it is not JSON.
 */
export function readMessage(body: Buffer): AssembledMessage {
  const text = body.toString('utf8');
  const parsed = isUtf8(body) ? parseJson(text) : undefined;
  if (parsed === undefined) return { json: undefined, complete: false, valid: false, toolCallCount: 0 };
  const read = { json: text, complete: false, valid: true, toolCallCount: 0 };
  if (!isJsonObject(parsed.value)) return read;
  if (isJsonObject(parsed.value['error'])) return { ...read, ...errorFacts(parsed.value['error']) };
  return parsed.value['type'] === 'message' ? { ...read, ...messageFacts(parsed.value) } : read;
}

function errorFacts(error: JsonObject): Partial<AssembledMessage> {
  const { type, message } = error;
  return {
    errorType: typeof type === 'string' ? type : 'error',
    ...(typeof message === 'string' && { errorMessage: message }),
  };
}

function messageFacts(message: JsonObject): Partial<AssembledMessage> {
  const { id, model, stop_reason: stopReason } = message;
  const accumulator = new UsageAccumulator();
  accumulator.start(message['usage']);
  const usage = accumulator.read();
  return {
    complete: true,
    ...(typeof id === 'string' && { messageId: id }),
    ...(typeof model === 'string' && { model }),
    ...(typeof stopReason === 'string' && { stopReason }),
    ...(usage !== undefined && { usage }),
    toolCallCount: Array.isArray(message['content']) ? message['content'].filter(isToolCall).length : 0,
  };
}

function isToolCall(block: unknown): boolean {
  if (!isJsonObject(block) || typeof block['type'] !== 'string') return false;
  return block['type'] === 'tool_use' || block['type'].endsWith('_tool_use');
}
