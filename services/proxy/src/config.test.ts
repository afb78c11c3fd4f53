import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { renderEnvExample } from '@claude-nexus/runtime';
import { describe, expect, it } from 'vitest';

import { PROXY_CONFIG, readProxyConfig } from './config.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const HASH_KEY = 'MARKEDSECRET-hash-key';

describe('readProxyConfig', () => {
  it('has the documented defaults', () => {
    expect(readProxyConfig({}).config).toEqual({
      port: 3000,
      host: '0.0.0.0',
      credentialsDir: `${ROOT}credentials`,
      databaseUrl: undefined,
      storageEnabled: true,
      claudeApiBaseUrl: 'https://api.anthropic.com',
      passthrough: 'deny',
      enableClientAuth: true,
      allowStoredOauth: false,
      accountHashKey: undefined,
      spoolDir: `${ROOT}.data/spool`,
      spoolMaxBytes: 2 ** 31,
      spoolDurable: true,
      maxInflightBytes: 2 ** 29,
      drainTimeoutMs: 300_000,
      telemetryEndpoint: undefined,
      slackWebhookUrl: undefined,
      slackChannel: undefined,
      metricsPort: 9090,
      logLevel: 'info',
      otel: {},
    });
  });

  it.each<[Record<string, string>, string]>([
    [{ PORT: 'x' }, 'PORT must be a port from 0 to 65535, not "x"'],
    [{ PASSTHROUGH: 'maybe' }, 'PASSTHROUGH must be one of deny, allow, not "maybe"'],
    [
      { PASSTHROUGH: 'allow' },
      'ACCOUNT_HASH_KEY is not set, which PASSTHROUGH=allow needs: set it to a long random text',
    ],
    [{ ACCOUNT_HASH_KEY: 'MARKEDSECRET' }, 'ACCOUNT_HASH_KEY must have at least 16 characters'],
    [
      { CLAUDE_API_BASE_URL: 'ftp://x' },
      'CLAUDE_API_BASE_URL must be a URL that starts with http:// or https://, not "ftp://x"',
    ],
    [
      { CLAUDE_API_BASE_URL: 'https://u:MARKEDSECRET@x' },
      'CLAUDE_API_BASE_URL must hold only scheme, host, port and path',
    ],
    [
      { CLAUDE_API_BASE_URL: 'https://x/?a=1' },
      'CLAUDE_API_BASE_URL must hold only scheme, host, port and path',
    ],
    [
      { DATABASE_URL: 'mysql://MARKEDSECRET' },
      'DATABASE_URL must be a URL that starts with postgres:// or postgresql://',
    ],
    [{ SLACK_WEBHOOK_URL: 'MARKEDSECRET' }, 'SLACK_WEBHOOK_URL must be a URL that starts with https://'],
    [
      { DRAIN_TIMEOUT: '2h' },
      'DRAIN_TIMEOUT must be a duration with its unit, such as 300s or 5m (from 0ms to 3600000ms), not "2h"',
    ],
  ])('refuses %j in one line', (env, message) => {
    expect(() => readProxyConfig(env)).toThrow(expect.objectContaining({ message }) as Error);
  });

  it.each<[Record<string, string>, string[]]>([
    [{ STORAGE_ENABLED: 'false' }, []],
    [{ DATABASE_URL: 'postgresql://u:p@h/d' }, []],
    [{ STORAGE_ENABLED: 'false', PASSTHROUGH: 'allow', ACCOUNT_HASH_KEY: HASH_KEY }, []],
    [{ STORAGE_ENABLED: 'false', DASHBOARD_API_KEY: 'x', PROXY_API_URL: 'x', DATA_DIR: 'x' }, []],
    [{}, ['DATABASE_URL is not set: nothing is recorded; set it, or STORAGE_ENABLED=false to say so']],
    [
      { STORAGE_ENABLED: 'false', ENABLE_CLIENT_AUTH: 'false' },
      ['ENABLE_CLIENT_AUTH=false: whoever reaches this proxy uses the credentials of its domains'],
    ],
    [
      { STORAGE_ENABLED: 'false', CREDENTIAL_DIR: 'x' },
      ['CREDENTIAL_DIR is not a setting and was ignored; did you mean CREDENTIALS_DIR?'],
    ],
    [
      {
        STORAGE_ENABLED: 'false',
        TELEMETRY_ENDPOINT: 'https://t.example.com',
        SLACK_WEBHOOK_URL: 'https://hooks.slack.com/MARKEDSECRET',
        SLACK_CHANNEL: '#x',
        ALLOW_STORED_OAUTH: 'true',
        OTEL_EXPORTER_OTLP_HEADERS: 'MARKEDSECRET',
      },
      [
        'ALLOW_STORED_OAUTH is accepted but has no effect yet',
        'TELEMETRY_ENDPOINT is accepted but has no effect yet',
        'SLACK_WEBHOOK_URL is accepted but has no effect yet',
        'SLACK_CHANNEL is accepted but has no effect yet',
        'OTEL_EXPORTER_OTLP_HEADERS is accepted but has no effect yet',
      ],
    ],
  ])('warns about %j', (env, warnings) => {
    expect(readProxyConfig(env).warnings).toEqual(warnings);
  });

  it('shows no secret in any message', () => {
    const env = {
      DATABASE_URL: 'MARKEDSECRET',
      SLACK_WEBHOOK_URL: 'MARKEDSECRET',
      ACCOUNT_HASH_KEY: 'MARKEDSECRET',
      PORT: 'x',
    };
    expect(() => readProxyConfig(env)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('MARKEDSECRET') as string }) as Error,
    );
  });
});

describe('.env.example', () => {
  it('holds every setting of the proxy as the table declares it', async () => {
    const text = await readFile(new URL('../../../.env.example', import.meta.url), 'utf8');
    expect(text).toContain(renderEnvExample(PROXY_CONFIG));
  });

  it('changes nothing when it is copied', async () => {
    const text = await readFile(new URL('../../../.env.example', import.meta.url), 'utf8');
    const set = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    expect(set).toEqual([]);
  });
});
