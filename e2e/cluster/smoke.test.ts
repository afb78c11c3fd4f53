import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';

import { DashboardClient } from '../fixtures/dashboard-client.ts';
import { untilPanelsHaveData } from './panels.ts';
import { execute, forward, untilCondition } from './pods.ts';
import { RealCluster } from './real-cluster.ts';
import { secretOf } from './secrets.ts';
import { Tester } from './tester.ts';

/** Of no account in any image. */
const SOME_USER = 1_234_567;
const GATEWAY = 'gateway';
const HOST = 'claude.example.com';
const SESSION = '3f0c4d1e-0f0f-4b0b-8a0a-2b2b2b2b2b2b';

const securityContext = {
  runAsNonRoot: true,
  runAsUser: SOME_USER,
  runAsGroup: SOME_USER,
  seccompProfile: { type: 'RuntimeDefault' },
};
const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

const readiness = (port: number): object => ({
  readinessProbe: { httpGet: { path: '/health/ready', port }, periodSeconds: 1 },
});

/** Beginning of a script of a client: defines `ask(prompt)`, which answers with the message. */
const sdkClient = (apiKey: string): string => `
  import { request } from 'node:http';
  import Anthropic from '@anthropic-ai/sdk';
  const client = new Anthropic({
    apiKey: ${JSON.stringify(apiKey)},
    baseURL: 'http://${GATEWAY}-proxy:3000',
    maxRetries: 0,
    defaultHeaders: { 'x-claude-code-session-id': '${SESSION}' },
    // The Host header decides which credential is used; fetch does not let a client choose it.
    fetch: (url, { method, headers, body }) =>
      new Promise((resolve, reject) => {
        const sent = request(url, { method, headers: { ...Object.fromEntries(new Headers(headers)), host: '${HOST}' } },
          async (answer) => {
            const parts = await Array.fromAsync(answer);
            resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: { 'content-type': answer.headers['content-type'] } }));
          });
        sent.once('error', reject);
        sent.end(body);
      }),
  });
  const ask = (content) =>
    client.messages.create({ model: 'claude-sonnet-4-5', max_tokens: 100, messages: [{ role: 'user', content }] });
`;

describe('a gateway with real pods', () => {
  const images = inject('clusterImages');
  let real: RealCluster;
  let namespace: string;
  let system: string;
  let tester: Tester;

  /** Starts a pod of one of our images as a user it does not know, with nothing to write to but /tmp. */
  const startPod = async (name: string, container: object, labels: object = {}): Promise<void> => {
    await real.cluster.api().create(`/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name, labels },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext,
        volumes: [{ name: 'tmp', emptyDir: {} }],
        containers: [
          {
            name: 'main',
            securityContext: containerSecurity,
            volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            ...container,
          },
        ],
      },
    });
    await untilCondition(real, { namespace, object: `pod/${name}` }, 60);
  };

  beforeAll(async () => {
    real = RealCluster.of(inject('realCluster'));
    const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    namespace = await real.cluster.createNamespace('smoke');
    system = await real.cluster.createNamespace('nexus-system', restricted);
    tester = await Tester.start(real, namespace, images.tester);
  });

  afterAll(async () => {
    await real.helm(['uninstall', 'nexus', '--namespace', system, '--wait', '--ignore-not-found']);
    await real.cluster.kubectl(['delete', 'namespace', namespace, system, '--timeout=180s']);
    await real.cluster.kubectl(['delete', 'crd', 'claudenexuses.claudenexus.dev', '--ignore-not-found']);
    real.cluster.close();
  });

  test('its proxy runs as any user with a read-only root, and ends when it is told to', async () => {
    await startPod('proxy', {
      image: images.proxy,
      env: [
        { name: 'STORAGE_ENABLED', value: 'false' },
        { name: 'CREDENTIALS_DIR', value: '/tmp' },
        { name: 'SPOOL_DIR', value: '/tmp' },
      ],
      ...readiness(3000),
    });
    const whoAmI = await execute(real, { namespace, pod: 'proxy', command: ['id', '-u'] });
    expect(whoAmI.trim()).toBe(String(SOME_USER));
    const write = execute(real, { namespace, pod: 'proxy', command: ['touch', '/app/file'] });
    await expect(write).rejects.toThrow(/Read-only file system/);
    await real.cluster.kubectl(['delete', 'pod', 'proxy', '-n', namespace, '--timeout=60s']);
  });

  test('is Ready once the operator, installed by Helm as any user, has made it', async () => {
    const { operator, proxy, dashboard, postgres } = images;
    const values = JSON.stringify({ operator, proxy, dashboard, postgres });
    const where = ['--namespace', system, '--wait', '--timeout', '3m'];
    const set = ['--set-json', `images=${values}`, '--set', `runAsUser=${SOME_USER}`];
    await real.helm(['install', 'nexus', 'charts/claude-nexus', ...where, ...set]);
    const api = real.cluster.api();
    await api.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: 'anthropic' },
      stringData: { 'api-key': 'sk-ant-api03-not-a-real-key-0123456789' },
    });
    await api.create(`/apis/claudenexus.dev/v1alpha1/namespaces/${namespace}/claudenexuses`, {
      apiVersion: 'claudenexus.dev/v1alpha1',
      kind: 'ClaudeNexus',
      metadata: { name: GATEWAY },
      spec: {
        database: { managed: { version: images.postgresVersion, storage: { size: '1Gi' } } },
        // A proxy whose database goes with it waits for so long to ship what it holds.
        proxy: { upstreamUrl: tester.url, drainTimeoutSeconds: 5 },
        domains: [{ host: HOST, credential: { secretRef: { name: 'anthropic', key: 'api-key' } } }],
      },
    });
    const ready = untilCondition(real, { namespace, object: `cnx/${GATEWAY}` }, 300);
    await expect(ready).resolves.toBeUndefined();
  });

  test('passes helm test', async () => {
    const printed = await real.helm(['test', 'nexus', '--namespace', system, '--timeout', '2m']);
    expect(printed).toMatch(/Phase:\s+Succeeded/);
  });

  test('serves the SDK through its Service, and shows the request in its dashboard', async () => {
    const [clientKey = ''] = Object.values(await secretOf(real, namespace, `${GATEWAY}-client-keys`));
    const printed = await tester.script(`${sdkClient(clientKey)}
      console.log((await ask('answer: from inside')).content[0].text);
    `);
    expect(printed.trim()).toBe('from inside');

    const { url, close } = await forward(real, namespace, `service/${GATEWAY}-dashboard`, 3001);
    onTestFinished(close);
    const keys = await secretOf(real, namespace, `${GATEWAY}-keys`);
    const dashboard = new DashboardClient(url, keys['dashboard-api-key'] ?? '');
    const [row] = await dashboard.settledRows(SESSION, 1);
    expect(row).toMatchObject({ status: 200, outcome: 'completed', domain: HOST });
  });

  test('has data in every panel of its Grafana dashboards when Prometheus scrapes its pods', async () => {
    const [clientKey = ''] = Object.values(await secretOf(real, namespace, `${GATEWAY}-client-keys`));
    const dashboard = await forward(real, namespace, `service/${GATEWAY}-dashboard`, 3001);
    onTestFinished(dashboard.close);
    let round = 0;
    const use = async (): Promise<void> => {
      await tester.script(`${sdkClient(clientKey)}
        await ask('answer: hi');
        await ask('fail: cached');
        await ask('fail: overloaded').catch(() => undefined);
        client.apiKey = 'cnp_wrong';
        await ask('answer: hi').catch(() => undefined);
      `);
      await (await fetch(`${dashboard.url}/health`)).body?.cancel();
      // Something to reconcile.
      const looked = `example.com/looked-at=${round++}`;
      await real.cluster.kubectl(['annotate', `cnx/${GATEWAY}`, '-n', namespace, looked, '--overwrite']);
    };
    const queries = await untilPanelsHaveData(
      real,
      [
        { namespace, deployment: `${GATEWAY}-proxy`, port: 9090 },
        { namespace, deployment: `${GATEWAY}-dashboard`, port: 9091 },
        { namespace: system, deployment: 'nexus-claude-nexus-operator', port: 8080 },
      ],
      use,
    );
    expect(queries).toBeGreaterThan(80);
  });

  test('its dashboard runs as any user with a read-only root', async () => {
    const { dashboardUrlA = '' } = await secretOf(real, namespace, `${GATEWAY}-database`);
    const labels = {
      'app.kubernetes.io/name': 'claude-nexus',
      'app.kubernetes.io/instance': GATEWAY,
      'app.kubernetes.io/component': 'dashboard',
    };
    const started = startPod(
      'any-dashboard',
      {
        image: images.dashboard,
        env: [
          { name: 'DATABASE_URL', value: dashboardUrlA },
          { name: 'DASHBOARD_API_KEY', value: 'a-key-that-is-long-enough-for-a-test' },
        ],
        ...readiness(3001),
      },
      labels,
    );
    await expect(started).resolves.toBeUndefined();
  });

  test('keeps its database from pods that are not its own', async () => {
    const connect = `
      import { connect } from 'node:net';
      const socket = connect(5432, '${GATEWAY}-postgres');
      socket.once('connect', () => { console.log('connected'); socket.end(); });
      socket.once('error', (error) => console.log(error.code));
    `;
    expect((await tester.script(connect)).trim()).toBe('ECONNREFUSED');
  });
});
