import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TestGateway } from '../fixtures/gateway.ts';
import { Attack, echo } from './attack.ts';
import { exchange } from './wire.ts';

/** Another seed makes other requests: HOSTILE_SEED=7 HOSTILE_REQUESTS=100000 vitest run --project e2e e2e/hostile */
const SEED = Number(process.env['HOSTILE_SEED'] ?? 20_261_123);
const REQUESTS = Number(process.env['HOSTILE_REQUESTS'] ?? 10_000);
const TIMEOUT_MS = 60_000 + 20 * REQUESTS;

let gateway: TestGateway;
let attack: Attack;
beforeAll(async () => {
  gateway = await TestGateway.start();
  gateway.upstream.answer(echo);
  attack = new Attack(gateway.proxyUrl, SEED);
});
afterAll(() => gateway.stop());

describe(`${REQUESTS} malformed requests (seed ${SEED})`, () => {
  it(
    'are refused one by one while good ones are served, and never mixed up with those',
    async () => {
      await attack.run(REQUESTS);
      expect(attack.problems).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('have left nothing at the upstream but the good ones, each once and with its own body', () => {
    const { canaries, permitted } = attack;
    const arrived = gateway.upstream.requests.filter((received) => received.bodyComplete);
    const seen = new Map(arrived.map((received) => [received.target, received.body.toString('latin1')]));
    expect(seen.size).toBe(arrived.length);
    const strangers = [...seen.keys()].filter((target) => !canaries.has(target) && !permitted.has(target));
    expect(strangers.map((target) => attack.coverOf(target))).toEqual([]);
    expect([...canaries.keys()].filter((target) => !seen.has(target))).toEqual([]);
    const expected = [...seen.keys()].map((target) => [
      target,
      canaries.get(target) ?? permitted.get(target),
    ]);
    expect([...seen]).toEqual(expected);
  });

  it('have left the gateway as it was', async () => {
    const health = await exchange(gateway.proxyUrl, 'GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(health.status).toBe(200);
    expect(gateway.proxyLog).not.toMatch(/"level":"(error|fatal)"/);
  });
});
