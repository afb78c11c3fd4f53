import { describe, expect, it } from 'vitest';

import type { AssembledMessage } from './message-assembler.ts';
import { readMessage } from './read-message.ts';

const MESSAGE =
  '{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-5", "content":[{"type":"text","text":"hi"},{"type":"tool_use","id":"t","name":"n","input":{}},{"type":"server_tool_use","id":"s"},7],"stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":6}}';
const ERROR =
  '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}';

describe('readMessage', () => {
  it.each<[title: string, body: Buffer, expected: Partial<AssembledMessage>]>([
    [
      'reads a whole message',
      Buffer.from(MESSAGE),
      {
        json: MESSAGE,
        complete: true,
        valid: true,
        messageId: 'msg_1',
        model: 'claude-opus-5-5',
        stopReason: 'tool_use',
        toolCallCount: 2,
      },
    ],
    [
      'reads an error body',
      Buffer.from(ERROR),
      {
        json: ERROR,
        complete: false,
        valid: true,
        errorType: 'overloaded_error',
        errorMessage: 'Overloaded',
      },
    ],
    [
      'reads an error of another shape',
      Buffer.from('{"error":{}}'),
      { complete: false, valid: true, errorType: 'error' },
    ],
    ['takes another JSON body as it is', Buffer.from('[1]'), { json: '[1]', complete: false, valid: true }],
    ['does not understand HTML', Buffer.from('<html>'), { json: undefined, complete: false, valid: false }],
    [
      'does not understand a torn message',
      Buffer.from(MESSAGE.slice(0, -1)),
      { json: undefined, valid: false },
    ],
    ['does not understand an empty body', Buffer.alloc(0), { json: undefined, valid: false }],
    ['does not understand invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]), { json: undefined, valid: false }],
  ])('%s', (_title, body, expected) => {
    expect(readMessage(body)).toMatchObject(expected);
  });

  it('reads the usage', () => {
    expect(readMessage(Buffer.from(MESSAGE)).usage).toMatchObject({ inputTokens: 5, outputTokens: 6 });
  });
});
