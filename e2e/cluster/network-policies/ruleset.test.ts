import { describe, expect, test } from 'vitest';

import { rulesetOf } from './ruleset.ts';
import type { Pod, Policy } from './ruleset.ts';

const pod = (address: string, app: string, namespace = 'one'): Pod => ({
  address,
  namespace,
  labels: { app },
  ports: [{ name: 'http', containerPort: 3000 }],
});
const server = pod('10.244.0.2', 'server');
const client = pod('10.244.0.3', 'client');
const stranger = pod('10.244.0.4', 'client', 'two');
const policy = (rest: Partial<Policy>): Policy => ({
  namespace: 'one',
  podSelector: { matchLabels: { app: 'server' } },
  ...rest,
});
const peers = [{ podSelector: { matchLabels: { app: 'client' } } }];
const elsewhere = [{ namespaceSelector: { matchLabels: { name: 'two' } } }];

/** What passes a chain before the rest is refused. */
const chain = (ruleset: string, name: string): string[] | undefined =>
  new RegExp(`chain ${name} \\{\\n([^]*?)reject\\n`).exec(ruleset)?.[1]?.split('\n').filter(Boolean);

describe('the rules for packets', () => {
  test.for([
    ['nobody without a rule', { ingress: [] }, []],
    ['peers of its own namespace', { ingress: [{ from: peers }] }, ['ip saddr 10.244.0.3 return']],
    ['peers of a namespace', { ingress: [{ from: elsewhere }] }, ['ip saddr 10.244.0.4 return']],
    ['everybody, on a named port', { ingress: [{ ports: [{ port: 'http' }] }] }, ['tcp dport 3000 return']],
    [
      'a block with an exception',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }] },
      ['ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 } return'],
    ],
    ['nobody on a port that has another name', { ingress: [{ ports: [{ port: 'x' }] }] }, []],
  ] as const)('let in %s', ([, rest, expected]) => {
    const ruleset = rulesetOf({
      pods: [server, client, stranger],
      namespaces: { one: {}, two: { name: 'two' } },
      policies: [policy(rest)],
    });
    expect(chain(ruleset, 'ingress_10_244_0_2')).toEqual(expected);
    expect(chain(ruleset, 'ingress_10_244_0_3')).toBeUndefined();
  });

  test.for([
    ['a port', { ports: [{ port: 53 }] }, ['tcp dport 53 return']],
    [
      'a port by its name, which each pod gives a number',
      { ports: [{ port: 'http' }] },
      ['ip daddr 10.244.0.2 tcp dport 3000 return', 'ip daddr 10.244.0.3 tcp dport 3000 return'],
    ],
  ] as const)('let out to everybody on %s', ([, rule, expected]) => {
    const policies = [policy({ policyTypes: ['Egress'], egress: [rule] })];
    const ruleset = rulesetOf({ pods: [server, client], namespaces: {}, policies });
    expect(chain(ruleset, 'egress_10_244_0_2')).toEqual(expected);
  });

  test('let out to the port of each peer', () => {
    const ruleset = rulesetOf({
      pods: [server, client],
      namespaces: {},
      policies: [
        policy({ policyTypes: ['Egress'], egress: [{ to: peers, ports: [{ port: 53, protocol: 'UDP' }] }] }),
      ],
    });
    expect(chain(ruleset, 'egress_10_244_0_2')).toEqual(['ip daddr 10.244.0.3 udp dport 53 return']);
    expect(chain(ruleset, 'ingress_10_244_0_2')).toBeUndefined();
  });
});
