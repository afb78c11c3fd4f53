import { describe, expect, it } from 'vitest';

import { readOperatorConfig } from './config.ts';

describe('readOperatorConfig', () => {
  it('serves all namespaces without settings', () => {
    expect(readOperatorConfig({}).config).toMatchObject({
      namespaces: [],
      leaderElection: true,
      concurrency: 4,
    });
  });

  it('takes the API server of the pod it runs in from what Kubernetes sets there', () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
    expect(readOperatorConfig(env).config).toMatchObject({ serviceHost: '10.0.0.1', servicePort: 6443 });
    expect(readOperatorConfig({}).config.serviceHost).toBeUndefined();
  });

  it.each([
    ['a', ['a']],
    [' a, b ,a,', ['a', 'b']],
  ])('reads the namespaces of %j', (text, namespaces) => {
    expect(readOperatorConfig({ WATCH_NAMESPACES: text }).config.namespaces).toEqual(namespaces);
  });

  it.each(['a b', '*', 'Team'])('refuses %j as namespaces', (text) => {
    expect(() => readOperatorConfig({ WATCH_NAMESPACES: text })).toThrow('WATCH_NAMESPACES');
  });
});
