import type { JournalExchange } from '../journal/types.ts';

const QUESTION = Buffer.from('{"model":"none","messages":[{"role":"user","content":"none"}]}');
const ANSWER = Buffer.from('{}');

/**
 * An exchange of the same time as `source`, and so of the same partitions, that touches the same tables and holds
 * nothing of it. A database that takes this one but not the other has something against the other.
 */
export function standIn(source: JournalExchange): JournalExchange {
  const { startedAt } = source.begin;
  return {
    // The time is in the first digits.
    id: `${source.id.slice(0, 24)}ffffffffffff`,
    begin: {
      startedAt,
      method: 'POST',
      path: '/v1/messages',
      domain: 'stand-in.invalid',
      scope: 'domain:stand-in.invalid',
      headers: [],
      recordBody: true,
    },
    recovered: false,
    requestComplete: true,
    requestLength: QUESTION.length,
    responseLength: ANSWER.length,
    head: { status: 200, headers: ['content-type', 'application/json'], at: startedAt },
    end: {
      outcome: 'completed',
      endedAt: startedAt,
      status: 200,
      requestLength: QUESTION.length,
      responseLength: ANSWER.length,
    },
    closing: 'end',
    lost: undefined,
    damaged: false,
    requestBody: () => Buffer.from(QUESTION),
    response: () => ({ bytes: Buffer.from(ANSWER), chunks: [0, ANSWER.length] }),
  };
}
