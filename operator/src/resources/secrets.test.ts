import { expect, it } from 'vitest';

import type { KubeObject } from '../kube/object.ts';
import { claudeNexus } from '../testing/claude-nexus.ts';
import { renderContext } from '../testing/render-context.ts';
import { derivedSecrets, domainSecretName } from './secrets.ts';

function contentsOf(object: KubeObject | undefined): Record<string, string> {
  const entries = Object.entries((object?.['data'] ?? {}) as Record<string, string>);
  return Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));
}

it('puts the URLs and the logins of the database into one Secret', () => {
  const databaseSecret = { ownerUrl: 'o', proxyUrlA: 'p', 'logins.json': '["pässwörd"]' };
  const [database] = derivedSecrets(renderContext(claudeNexus(), { databaseSecret }));
  expect(database?.metadata.name).toBe('gateway-database');
  expect(contentsOf(database)).toEqual(databaseSecret);
});

it('puts the credential file of a domain into a Secret of its own, under the name the proxy looks for', () => {
  const owner = claudeNexus();
  const domain = { host: 'a.example', name: domainSecretName(owner, 'a.example'), content: '{"é":1}' };
  const context = renderContext(owner, { databaseSecret: undefined, domainSecrets: [domain] });
  const [secret, ...others] = derivedSecrets(context);
  expect(others).toEqual([]);
  expect(contentsOf(secret)).toEqual({ 'a.example.credentials.json': '{"é":1}' });
});

it('names the Secrets of two domains differently', () => {
  const names = ['a.example', 'b.example'].map((host) => domainSecretName(claudeNexus(), host));
  expect(new Set(names).size).toBe(2);
});
