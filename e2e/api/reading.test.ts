import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthenticationError } from '@anthropic-ai/sdk';
import type { RequestSummary } from '@claude-nexus/api-contract';

import { prompt, sessionClient } from '../fixtures/client.ts';
import { TestGateway } from '../fixtures/gateway.ts';
import type { DashboardEvent } from '../fixtures/dashboard-client.ts';

const CLIENT_KEY = 'cnp_live_a-client-key-of-the-team';
const UPSTREAM_KEY = 'sk-ant-api03-the-credential-of-the-team';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    credentials: {
      localhost: {
        type: 'api_key',
        accountId: 'team',
        api_key: UPSTREAM_KEY,
        client_keys: [{ name: 'laptop', key: CLIENT_KEY }],
      },
    },
  });
});
afterAll(() => gateway.stop());

const teamUrl = (): string => gateway.proxyUrl.replace('127.0.0.1', 'localhost');

describe('a domain with a credential file', () => {
  it('takes the client key and sends the credential of the file upstream, and only that', async () => {
    const { sdk, session } = sessionClient(teamUrl(), { apiKey: CLIENT_KEY });
    await sdk.messages.create(prompt('hi'));
    const headers = gateway.upstream.requests.at(-1)?.rawHeaders ?? [];
    expect(gateway.upstream.requests.at(-1)?.header('x-api-key')).toBe(UPSTREAM_KEY);
    expect(headers.join('\n')).not.toContain(CLIENT_KEY);
    const [row] = await gateway.dashboard.settledRows(session, 1);
    expect(row).toMatchObject({ domain: 'localhost', accountId: 'team' });
    const detail = await gateway.dashboard.detail(row?.id ?? '');
    expect(detail.clientKeyName).toBe('laptop');
    for (const secret of [CLIENT_KEY, UPSTREAM_KEY]) {
      expect(JSON.stringify(detail)).not.toContain(secret);
      expect(gateway.proxyLog).not.toContain(secret);
    }
  });

  it('refuses a wrong key without asking the upstream', async () => {
    const before = gateway.upstream.requests.length;
    const { sdk } = sessionClient(teamUrl(), { apiKey: 'cnp_wrong' });
    await expect(sdk.messages.create(prompt('hi'))).rejects.toBeInstanceOf(AuthenticationError);
    expect(gateway.upstream.requests.length).toBe(before);
  });
});

describe('the dashboard', () => {
  it('answers nobody without the key', async () => {
    for (const path of ['/api/requests', '/api/storage-stats', '/sse']) {
      const answer = await request(`${gateway.dashboardUrl}${path}`);
      expect(answer.statusCode).toBe(401);
      await answer.body.dump();
    }
  });

  it('tells of a new request at once, and resumes after the last event seen', async () => {
    const abort = new AbortController();
    const events = gateway.dashboard.events(abort.signal);
    const { sdk, session } = sessionClient(gateway.proxyUrl);
    const isOurs = ({ event, data }: DashboardEvent): boolean =>
      event === 'request' &&
      (data as RequestSummary).sessionId === session &&
      (data as RequestSummary).outcome === 'completed';
    const seen = firstOf(events, isOurs);
    await sdk.messages.create(prompt('one'));
    const first = await seen;
    abort.abort();

    await sdk.messages.create(prompt('two'));
    const again = new AbortController();
    const second = await firstOf(gateway.dashboard.events(again.signal, first.id), isOurs);
    again.abort();
    expect((second.data as RequestSummary).id).not.toBe((first.data as RequestSummary).id);
  });

  it('adds up what /token-stats tells the account', async () => {
    const key = 'sk-ant-api03-an-account-of-its-own';
    const { sdk, session } = sessionClient(gateway.proxyUrl, { apiKey: key });
    for (const text of ['one', 'two']) await sdk.messages.create(prompt(text));
    const rows = await gateway.dashboard.settledRows(session, 2);
    const answer = await request(`${gateway.proxyUrl}/token-stats`, { headers: { 'x-api-key': key } });
    const sum = (name: 'inputTokens' | 'outputTokens'): number =>
      rows.reduce((total, row) => total + (row[name] ?? 0), 0);
    expect(await answer.body.json()).toMatchObject({
      requests: 2,
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      account: rows[0]?.accountId,
    });
    const stats = await gateway.dashboard.storageStats();
    const group = stats.byAccount.find(({ key: account }) => account === rows[0]?.accountId);
    expect(group?.totals).toMatchObject({ requests: 2, inputTokens: sum('inputTokens') });
  });
});

async function firstOf(
  events: AsyncIterable<DashboardEvent>,
  wanted: (event: DashboardEvent) => boolean,
): Promise<DashboardEvent> {
  for await (const event of events) if (wanted(event)) return event;
  throw new Error('the stream of events has ended');
}
