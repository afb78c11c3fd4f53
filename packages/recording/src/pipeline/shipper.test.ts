import { canonicalDigests, chain } from '@claude-nexus/domain';
import { describe, expect, it } from 'vitest';
import { BodyCutter } from '../store/index.ts';
import { FrameBases } from './frame-bases.ts';
import type { ShipperReport } from './shipper.ts';
import { Shipper } from './shipper.ts';
import { eventStream, journalExchange, sessionBody } from './testing/exchanges.ts';
import { FakeReader, MemoryIngest } from './testing/fakes.ts';

type Batches = ConstructorParameters<typeof FakeReader>[0];
type Journalled = ReturnType<typeof journalExchange>;

async function ship(batches: Batches, ingest = new MemoryIngest(), report: Partial<ShipperReport> = {}) {
  const done = new AbortController();
  const reader = new FakeReader(batches, done);
  const shipper = new Shipper({
    reader,
    ingest,
    cutter: new BodyCutter({ digests: { canonicalDigests, chain } }),
    bases: new FrameBases(),
    recorderId: 'recorder-1',
    suspects: new Set(),
    report: { committed: () => undefined, failed: () => undefined, quarantined: () => undefined, ...report },
    wait: async () => undefined,
  });
  await shipper.run(done.signal);
  return { reader, ingest, shipper };
}

const answer = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-5',
  content: [{ type: 'text', text: 'hello' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1000, output_tokens: 100 },
});

const streamed = [
  {
    type: 'message_start',
    message: {
      id: 'msg_2',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-5-5',
      content: [],
      usage: { input_tokens: 10, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];
const asStream = ['content-type', 'text/event-stream; charset=utf-8', 'request-id', 'req_2'];

describe('Shipper', () => {
  it('commits a finished exchange with its usage and cost, gives its bodies back exactly and acknowledges it', async () => {
    const exchange = journalExchange({ request: sessionBody(3), status: 200, response: answer });
    const { reader, ingest } = await ship([{ ended: [exchange] }]);
    expect(reader.acked).toEqual([exchange.id]);
    expect(ingest.requests.get(exchange.id)).toMatchObject({
      outcome: 'completed',
      status: 200,
      kind: 'main',
      model: 'claude-opus-5-5',
      sessionId: 'session-1',
      usage: { inputTokens: 1000, outputTokens: 100 },
      costUsd: '0.006',
      durationMs: 1500,
      messageCount: 3,
      upstreamRequestId: 'req_1',
      upstreamMessageId: 'msg_1',
      requestForm: 'tree',
      responseForm: 'exact',
    });
    expect(ingest.requestBody(exchange.id)).toBe(sessionBody(3));
    expect(ingest.responseBody(exchange.id, answer.length)).toBe(answer);
  });

  it('writes no pending row for a request that ends within the tick', async () => {
    const exchange = journalExchange({ request: sessionBody(1), closing: null });
    const { ingest } = await ship([
      { open: [exchange] },
      () => {
        exchange.close({ status: 200, response: answer });
        return { ended: [exchange] };
      },
    ]);
    expect(ingest.commits.flatMap(({ requests }) => requests.map(({ outcome }) => outcome))).toEqual([
      'completed',
    ]);
  });

  it('writes a pending row for a request still open at the next tick, and ships its body once', async () => {
    const exchange = journalExchange({ request: sessionBody(1), closing: null });
    const { reader, ingest } = await ship([
      { open: [exchange] },
      {},
      () => {
        exchange.close({ status: 200, response: answer });
        return { ended: [exchange] };
      },
    ]);
    const [pending, final] = ingest.commits;
    expect(pending?.requests.map(({ outcome }) => outcome)).toEqual(['pending']);
    expect(pending?.frames.map(({ part }) => part)).toEqual([0]);
    expect(final?.requests.map(({ outcome }) => outcome)).toEqual(['completed']);
    expect(final?.frames.map(({ part }) => part)).toEqual([1]);
    expect(final?.nodes).toEqual([]);
    expect(reader.acked).toEqual([exchange.id]);
    expect(ingest.requestBody(exchange.id)).toBe(sessionBody(1));
  });

  it('stores an exchange that has ended in one frame, which has the headers of both sides', async () => {
    const exchange = journalExchange({
      request: sessionBody(1),
      status: 200,
      responseHeaders: asStream,
      response: eventStream(streamed),
    });
    const { ingest } = await ship([{ ended: [exchange] }]);
    expect(ingest.commits[0]?.frames.map(({ part }) => part)).toEqual([2]);
    expect(ingest.frameMeta(exchange.id, 'request')).toEqual(
      expect.objectContaining({ headers: exchange.begin.headers }),
    );
    expect(ingest.frameMeta(exchange.id, 'response')).toEqual({
      headers: asStream,
      length: expect.any(Number),
    });
    expect(ingest.responseSections(exchange.id).has('chunks')).toBe(true);
  });

  it('gives both sides back of an exchange whose pending row an earlier process wrote', async () => {
    const exchange = journalExchange({ request: sessionBody(1), closing: null });
    const { ingest } = await ship([{ open: [exchange] }, {}]);
    exchange.close({ status: 200, response: answer });
    await ship([{ ended: [exchange] }], ingest);
    expect(ingest.commits.flatMap(({ frames }) => frames.map(({ part }) => part))).toEqual([0, 2]);
    expect(ingest.requests.get(exchange.id)?.outcome).toBe('completed');
    expect(ingest.requestBody(exchange.id)).toBe(sessionBody(1));
    expect(ingest.responseBody(exchange.id, answer.length)).toBe(answer);
  });

  it('ships of a later turn only what the session has not shipped', async () => {
    const turns = [1, 3, 5].map((messages) =>
      journalExchange({ request: sessionBody(messages), status: 200, response: answer }),
    );
    const { ingest } = await ship(turns.map((exchange) => ({ ended: [exchange] })));
    expect(ingest.commits.map(({ nodes }) => nodes.length)).toEqual([1, 2, 2]);
    expect(turns.map(({ id }) => ingest.requestBody(id))).toEqual(
      [1, 3, 5].map((messages) => sessionBody(messages)),
    );
  });

  it.each([
    ['in batches of their own', 1],
    ['in one batch', 5],
  ])(
    'bases frames of a session on earlier ones, %s, and gives every body back exactly',
    async (_how, size) => {
      const turns = [1, 3, 5, 7, 9].map((messages) =>
        journalExchange({ request: sessionBody(messages), status: 200, response: answer }),
      );
      const batches = Array.from({ length: turns.length / size }, (_, at) =>
        turns.slice(at * size, (at + 1) * size),
      );
      const { ingest } = await ship(batches.map((ended) => ({ ended })));
      const ids = turns.map(({ id }) => id);
      const frames = ingest.commits.flatMap((commit) => commit.frames);
      const based = frames.map(({ base = '' }) => ids.indexOf(base));
      expect(based).toEqual([-1, 0, 0, 2, 0]);
      for (const [at, id] of ids.entries()) {
        expect(ingest.requestBody(id)).toBe(sessionBody(2 * at + 1));
        expect(ingest.responseBody(id, answer.length)).toBe(answer);
      }
    },
  );

  it.each([
    ['sessions of their own', (at: number) => ['x-claude-code-session-id', `session-${at % 3}`]],
    ['no session', () => []],
  ])(
    'gives bodies of equal length of %s back exactly, however batches follow each other',
    async (_, headers) => {
      const turns = Array.from({ length: 24 }, (_turn, at) => {
        const content = String.fromCodePoint(97 + at).repeat(5000);
        const request = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] });
        return journalExchange({
          request,
          headers: ['content-type', 'application/json', ...headers(at)],
          status: 200,
          response: answer,
        });
      });
      const batches = [turns.slice(0, 12), turns.slice(12)];
      const { ingest } = await ship(batches.map((ended) => ({ ended })));
      for (const turn of turns) expect(ingest.requestBody(turn.id)).toBe(turn.requestBody().toString());
    },
  );

  it('tells what it keeps of the sessions, which is at least their last bodies', async () => {
    const exchange = journalExchange({ request: sessionBody(3), status: 200, response: answer });
    const { shipper } = await ship([{ ended: [exchange] }]);
    expect(shipper.rememberedBytes).toBeGreaterThan(sessionBody(3).length);
    const nothing = await ship([{ ended: [] }]);
    expect(nothing.shipper.rememberedBytes).toBe(0);
  });

  it('bases nothing on a frame that an earlier try may have stored otherwise', async () => {
    const ingest = new MemoryIngest();
    const [first, second, third] = [1, 3, 5].map((messages) =>
      journalExchange({ request: sessionBody(messages), status: 200, response: answer }),
    ) as [Journalled, Journalled, Journalled];
    const commit = ingest.commit.bind(ingest);
    let answersLost = 1;
    ingest.commit = async (batch) => {
      const areNew = await commit(batch);
      if (answersLost-- > 0) throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' });
      return areNew;
    };
    await ship([{ ended: [first] }, { ended: [second, third] }], ingest);
    const bases = [...ingest.commits].flatMap(({ frames }) => frames.map(({ base }) => base));
    expect(bases).not.toContain(first.id);
    expect(bases).toContain(second.id);
    for (const [at, { id }] of [first, second, third].entries())
      expect(ingest.requestBody(id)).toBe(sessionBody(2 * at + 1));
  });

  it('ships again without references within a batch when some of it turns out to be stored', async () => {
    const turns = [1, 3, 5].map((messages) =>
      journalExchange({ request: sessionBody(messages), status: 200, response: answer }),
    );
    const ingest = new MemoryIngest();
    await ship([{ ended: turns.slice(0, 2) }], ingest);
    const { reader } = await ship([{ ended: turns }], ingest);
    expect(reader.quarantined).toEqual([]);
    expect(reader.acked).toEqual(turns.map(({ id }) => id));
    for (const [at, { id }] of turns.entries()) expect(ingest.requestBody(id)).toBe(sessionBody(2 * at + 1));
  });

  it('keeps trying through an outage and acknowledges only what is committed', async () => {
    const exchange = journalExchange({ request: sessionBody(2), status: 200, response: answer });
    const ingest = new MemoryIngest();
    ingest.answers = async () => false;
    let failures = 20;
    ingest.beforeCommit = () => {
      if (failures-- > 0) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    };
    const { reader } = await ship([{ ended: [exchange] }], ingest);
    expect(reader.acked).toEqual([exchange.id]);
    expect(reader.quarantined).toEqual([]);
    expect(ingest.requestBody(exchange.id)).toBe(sessionBody(2));
  });

  it('leaves the batch in the journal when it has to stop during an outage', async () => {
    const exchange = journalExchange({ request: sessionBody(2), status: 200, response: answer });
    const ingest = new MemoryIngest();
    const done = new AbortController();
    ingest.beforeCommit = () => {
      done.abort();
      throw Object.assign(new Error('shutting down'), { code: '57P01' });
    };
    const reader = new FakeReader([{ ended: [exchange] }], done);
    const shipper = new Shipper({
      reader,
      ingest,
      cutter: new BodyCutter({ digests: { canonicalDigests, chain } }),
      bases: new FrameBases(),
      recorderId: 'recorder-1',
      suspects: new Set(),
      report: { committed: () => undefined, failed: () => undefined, quarantined: () => undefined },
      wait: async () => undefined,
    });
    await shipper.run(done.signal);
    expect(reader.acked).toEqual([]);
    expect(reader.quarantined).toEqual([]);
  });

  it.each([
    ['refuses its data', { code: '22021' }],
    ['takes a lock for ever', { code: '55P03' }],
    ['loses its backend with it', { code: '57P02' }],
  ])('quarantines just the one record of a batch for which the database %s', async (_, failure) => {
    const exchanges = Array.from({ length: 7 }, (_, index) =>
      journalExchange({ request: sessionBody(index + 1), status: 200, response: answer }),
    );
    const bad = exchanges[4] as (typeof exchanges)[number];
    const ingest = new MemoryIngest();
    ingest.beforeCommit = ({ requests }) => {
      if (requests.some(({ id }) => id === bad.id)) throw Object.assign(new Error('no'), failure);
    };
    const { reader } = await ship([{ ended: exchanges }], ingest);
    expect(reader.quarantined).toEqual([bad.id]);
    expect(reader.acked).toEqual(exchanges.filter((exchange) => exchange !== bad).map(({ id }) => id));
    const stored = exchanges.map(({ id }) => (id === bad.id ? 'bad' : ingest.requestBody(id)));
    expect(stored).toEqual(
      exchanges.map(({ id }, index) => (id === bad.id ? 'bad' : sessionBody(index + 1))),
    );
  });

  it.each([
    ['refuses its data', { code: '23514' }],
    ['cancels every statement', { code: '57014' }],
    ['has forgotten prepared statements', { code: '26000' }],
    ['loses every backend', { code: '57P02' }],
  ])('keeps everything while the database %s, whatever it is given', async (_, failure) => {
    const exchanges = Array.from({ length: 5 }, (_, index) =>
      journalExchange({ request: sessionBody(index + 1), status: 200, response: answer }),
    );
    const ingest = new MemoryIngest();
    let failures = 200;
    ingest.beforeCommit = () => {
      if (failures-- > 0) throw Object.assign(new Error('no'), failure);
    };
    const idle = Array.from({ length: 200 }, () => ({}));
    const batches = [{ ended: exchanges.slice(0, 3) }, { ended: exchanges.slice(3) }, ...idle];
    const { reader } = await ship(batches, ingest);
    expect(reader.quarantined).toEqual([]);
    expect(reader.acked.toSorted()).toEqual(exchanges.map(({ id }) => id).toSorted());
    expect(exchanges.map(({ id }) => ingest.requestBody(id))).toEqual(
      exchanges.map((_, index) => sessionBody(index + 1)),
    );
  });

  it('quarantines a refused record although nothing else passes the gateway', async () => {
    const bad = journalExchange({ request: sessionBody(1), status: 200, response: answer });
    const ingest = new MemoryIngest();
    ingest.beforeCommit = ({ requests }) => {
      if (requests.some(({ id }) => id === bad.id)) throw Object.assign(new Error('no'), { code: '22021' });
    };
    const { reader } = await ship([{ ended: [bad] }], ingest);
    expect(reader.quarantined).toEqual([bad.id]);
    expect(reader.acked).toEqual([]);
    expect([...ingest.requests]).toEqual([]);
  });

  it('keeps a record for which the database has no room, although a small one would pass', async () => {
    const big = journalExchange({ request: sessionBody(5), status: 200, response: answer });
    const ingest = new MemoryIngest();
    let failures = 50;
    ingest.beforeCommit = ({ requests }) => {
      const isBig = requests.some(({ id }) => id === big.id);
      if (isBig && failures-- > 0) throw Object.assign(new Error('no'), { code: '53100' });
    };
    const idle = Array.from({ length: 50 }, () => ({}));
    const { reader } = await ship([{ ended: [big] }, ...idle], ingest);
    expect(reader.quarantined).toEqual([]);
    expect(reader.acked).toEqual([big.id]);
  });

  it('blames no record whose refusal falls into a moment in which the database takes nothing', async () => {
    const good = journalExchange({ request: sessionBody(1), status: 200, response: answer });
    const ingest = new MemoryIngest();
    let attempts = 0;
    ingest.beforeCommit = ({ requests }) => {
      // Refused at first and when tried again, while the rehearsal before that passes.
      const isGood = requests.some(({ id }) => id === good.id);
      attempts += 1;
      if (attempts < 5 && (isGood || attempts > 2)) throw Object.assign(new Error('no'), { code: '23514' });
    };
    const { reader } = await ship([{ ended: [good] }, {}, {}], ingest);
    expect(reader.quarantined).toEqual([]);
    expect(reader.acked).toEqual([good.id]);
  });

  it('quarantines a record that cannot be decoded and ships its neighbours', async () => {
    const bad = journalExchange({ request: sessionBody(1), status: 200, response: answer });
    bad.requestBody = () => {
      throw new Error('unreadable');
    };
    const good = journalExchange({ request: sessionBody(1), status: 200, response: answer });
    const { reader } = await ship([{ ended: [bad, good] }]);
    expect(reader.quarantined).toEqual([bad.id]);
    expect(reader.acked).toEqual([good.id]);
  });

  it('cuts again when the database has lost what the session was known to have stored', async () => {
    const ingest = new MemoryIngest();
    const first = journalExchange({ request: sessionBody(1), status: 200, response: answer });
    const second = journalExchange({ request: sessionBody(3), status: 200, response: answer });
    const batches: Batches = [
      { ended: [first] },
      () => {
        ingest.wipe();
        return { ended: [second] };
      },
    ];
    // What a second, equal body would refer to is a node nobody ships again without forgetting.
    const repeated = journalExchange({ request: sessionBody(3), status: 200, response: answer });
    batches.push(() => {
      ingest.wipe();
      return { ended: [repeated] };
    });
    const { reader } = await ship(batches, ingest);
    expect(reader.quarantined).toEqual([]);
    expect(reader.acked).toEqual([first.id, second.id, repeated.id]);
    expect(ingest.requestBody(repeated.id)).toBe(sessionBody(3));
  });
});

describe('a streamed answer', () => {
  it('is stored as its message, with the time of the first content', async () => {
    const text = eventStream(streamed);
    const firstDelta = text.indexOf('event: content_block_stop');
    const exchange = journalExchange({
      request: sessionBody(1),
      status: 200,
      responseHeaders: asStream,
      response: text,
      chunks: [200, firstDelta - 10, 450, 10, 900, text.length - firstDelta],
    });
    const { ingest } = await ship([{ ended: [exchange] }]);
    expect(ingest.requests.get(exchange.id)).toMatchObject({
      outcome: 'completed',
      streaming: true,
      responseForm: 'message',
      firstTokenMs: 450,
      stopReason: 'end_turn',
      usage: { inputTokens: 10, outputTokens: 5 },
    });
    expect(ingest.responseSections(exchange.id).has('raw')).toBe(false);
  });

  it.each([
    ['without message_stop', streamed.slice(0, -1), 'interrupted', undefined],
    [
      'with an error event',
      [...streamed.slice(0, 3), { type: 'error', error: { type: 'overloaded_error', message: 'busy' } }],
      'error',
      'overloaded_error',
    ],
  ])('%s keeps its raw bytes', async (_, events, outcome, errorType) => {
    const text = eventStream(events);
    const exchange = journalExchange({
      request: sessionBody(1),
      status: 200,
      responseHeaders: asStream,
      response: text,
    });
    const { ingest } = await ship([{ ended: [exchange] }]);
    const row = ingest.requests.get(exchange.id);
    expect(row).toMatchObject({ outcome, responseForm: 'raw', usage: { inputTokens: 10 } });
    expect(row?.errorType).toBe(errorType);
    expect(ingest.responseSections(exchange.id).get('raw')?.toString()).toBe(text);
  });
});

describe('an exchange that did not end well', () => {
  it.each([
    ['its process died', { closing: 'interrupted' as const, status: 200, response: '{"id":' }, 'interrupted'],
    ['the client left', { status: 200, end: { outcome: 'aborted' as const } }, 'aborted'],
    [
      'no upstream answered',
      { end: { outcome: 'error' as const, status: 502, errorType: 'api_error' } },
      'error',
    ],
  ])('has a row when %s', async (_, script, outcome) => {
    const exchange = journalExchange({ request: sessionBody(1), ...script });
    const { reader, ingest } = await ship([{ ended: [exchange] }]);
    expect(ingest.requests.get(exchange.id)).toMatchObject({ outcome, model: 'claude-opus-5-5' });
    expect(ingest.requestBody(exchange.id)).toBe(sessionBody(1));
    expect(reader.acked).toEqual([exchange.id]);
  });

  it('keeps the part of a request body that arrived', async () => {
    const part = sessionBody(3).slice(0, 2000);
    const exchange = journalExchange({ request: part, requestComplete: false, end: { outcome: 'aborted' } });
    const { ingest } = await ship([{ ended: [exchange] }]);
    expect(ingest.requests.get(exchange.id)).toMatchObject({ requestForm: 'partial', outcome: 'aborted' });
    expect(ingest.requestBody(exchange.id)).toBe(part);
  });
});

describe('a metadata row', () => {
  it('has lengths and outcome, but neither body', async () => {
    const exchange = journalExchange({
      path: '/v1/messages/count_tokens',
      recordBody: false,
      status: 200,
      end: { requestLength: 123, responseLength: 45 },
    });
    const { ingest } = await ship([{ ended: [exchange] }]);
    expect(ingest.requests.get(exchange.id)).toMatchObject({
      kind: 'other',
      outcome: 'completed',
      requestForm: 'none',
      responseForm: 'none',
      requestLength: 123,
      responseLength: 45,
    });
  });
});
