import { describe, expect, it } from 'vitest';

import { claudeNexus } from '../testing/claude-nexus.ts';
import type { ClaudeNexusOptions } from '../testing/claude-nexus.ts';
import { renderContext } from '../testing/render-context.ts';
import { scenario } from '../testing/scenarios.ts';
import { dashboardUrl, proxyUrl } from './addresses.ts';
import { ingresses } from './ingresses.ts';

type Spec = NonNullable<ClaudeNexusOptions['spec']>;

const domain = (host: string) => ({ host, credential: { secretRef: { name: 'credentials', key: 'key' } } });
const rendered = (spec: Spec) => ingresses(renderContext(claudeNexus({ spec })));

describe('ingresses', () => {
  it('lead the hosts of the domains to the proxy, without certificates unless the resource names them', () => {
    const domains = ['a.example', 'b.example'].map(domain);
    const [proxy, ...others] = rendered({ domains, ingress: {} });
    expect(others).toEqual([]);
    expect(proxy?.['spec']).toMatchObject({ rules: [{ host: 'a.example' }, { host: 'b.example' }] });
    expect(proxy?.['spec']).not.toHaveProperty('tls');
  });

  it('are not made without a host, since one without rules would take every name', () => {
    expect(rendered({ ingress: {} })).toEqual([]);
    expect(rendered({ domains: [domain('a.example')] })).toEqual([]);
  });

  it('name each certificate once, and publish the dashboard under its base path', () => {
    const [proxy, dashboard] = ingresses(renderContext(scenario('full')));
    expect(proxy?.['spec']).toMatchObject({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['api.one.example', 'api.two.example'], secretName: 'tls' }],
    });
    expect(dashboard?.['spec']).toMatchObject({
      rules: [
        {
          host: 'nexus.example',
          http: {
            paths: [
              {
                path: '/nexus',
                pathType: 'Prefix',
                backend: { service: { name: 'gateway-dashboard', port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    });
  });
});

describe('addresses', () => {
  it.each<[string, Spec, string, string]>([
    [
      'inside the cluster',
      {},
      'http://gateway-proxy.team.svc:3000',
      'http://gateway-dashboard.team.svc:3001/',
    ],
    [
      'by a domain',
      { domains: [domain('a.example')], ingress: {} },
      'http://a.example',
      'http://gateway-dashboard.team.svc:3001/',
    ],
    [
      'by an ingress with certificates',
      {
        dashboard: { basePath: 'nexus' },
        ingress: {
          proxy: [{ host: 'a.example', tlsSecretName: 'x' }],
          dashboard: { host: 'b.example', tlsSecretName: 'x' },
        },
      },
      'https://a.example',
      'https://b.example/nexus/',
    ],
  ])('are those people can use: %s', (_, spec, proxy, dashboard) => {
    const owner = claudeNexus({ spec });
    expect([proxyUrl(owner), dashboardUrl(owner)]).toEqual([proxy, dashboard]);
  });
});
