import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { CLUSTER_RULES, NAMESPACE_RULES, leaseRules } from '../../operator/src/rbac.ts';
import { Program, ROOT, until } from '../fixtures/program.ts';
import type { PolicyRule } from '../../operator/src/rbac.ts';
import type { Api } from '../fixtures/control-plane/api.ts';
import type { Cluster } from '../fixtures/control-plane/cluster.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const LEASE_NAMESPACE = 'default';

/**
 * What Node derives from the chart's memory limit of 384Mi; on a large machine it would collect seldom. With a kubeconfig
 * the operator also loads client-node, 30 to 45 MiB that it does without in a pod.
 */
export const IN_CONTAINER = ['--max-old-space-size=256', '--max-semi-space-size=1'];

export interface OperatorOptions {
  /** Settings beside those of `start`. With WATCH_NAMESPACES it gets a Role in each of them and no ClusterRole. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it finds the API server, such as at a fault proxy. */
  readonly server?: string;
  /** A user of the control plane; it keeps the rights it is given here. */
  readonly user?: string;
  /** Two with the same lease compete; by default each has its own. */
  readonly lease?: string;
  readonly nodeFlags?: readonly string[];
}

/** A line the operator logs. */
export interface LogLine {
  /** Such as `warn`. */
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The operator as its users run it: a process with a kubeconfig whose user has the rights it asks for and no other. */
export class OperatorProcess {
  readonly lease: string;
  readonly #cluster: Cluster;
  readonly #program: Program;
  #hasEnded = false;

  private constructor(cluster: Cluster, lease: string, program: Program) {
    this.#cluster = cluster;
    this.lease = lease;
    this.#program = program;
    void program.ended().then(() => (this.#hasEnded = true));
  }

  /** Starts one; `ready` waits until it may work. */
  static async start(cluster: Cluster, options: OperatorOptions = {}): Promise<OperatorProcess> {
    const {
      env = {},
      user = 'operator',
      lease = `operator-${randomBytes(4).toString('hex')}`,
      nodeFlags = [],
    } = options;
    const namespaces = (env['WATCH_NAMESPACES'] ?? '').split(',').filter((name) => name !== '');
    await allow(cluster.api(), { user, namespaces, lease });
    const program = new Program([...nodeFlags, path.join(ROOT, 'operator/src/main.ts')], {
      KUBECONFIG: await cluster.kubeconfigFile(user, options.server),
      HOST: '127.0.0.1',
      METRICS_PORT: '0',
      HEALTH_PORT: '0',
      POD_NAMESPACE: LEASE_NAMESPACE,
      LEASE_NAME: lease,
      ...env,
    });
    return new OperatorProcess(cluster, lease, program);
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Everything it has printed so far. */
  get output(): string {
    return this.#program.output;
  }

  /** What it has logged so far, without the line it may be writing. */
  get lines(): LogLine[] {
    const complete = this.output.split('\n').slice(0, -1);
    return complete.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine);
  }

  /** Waits until its caches are filled. @throws Error with its output when it ended before */
  async ready(): Promise<this> {
    await this.#program.ready(`${await this.#address('healthPort')}/readyz`);
    return this;
  }

  /** Its metrics in Prometheus' text format. */
  async metrics(): Promise<string> {
    const answer = await fetch(`${await this.#address('metricsPort')}/metrics`);
    return answer.text();
  }

  /** `host:port` of its metrics. */
  async metricsTarget(): Promise<string> {
    return new URL(await this.#address('metricsPort')).host;
  }

  async health(what: 'livez' | 'readyz'): Promise<{ readonly status: number; readonly text: string }> {
    const answer = await fetch(`${await this.#address('healthPort')}/${what}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Sends a signal such as SIGSTOP and does not wait. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Ends it, by default as Kubernetes would. @returns the exit code, or the signal that ended it */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    return this.#program.stop(signal);
  }

  /** Waits for the end. @returns the exit code, or the signal that ended it */
  ended(): Promise<number | string> {
    return this.#program.ended();
  }

  /** Takes away the Lease that one killed without notice leaves behind, so that the next need not wait for its end. */
  async dropLease(): Promise<void> {
    await this.#cluster
      .api()
      .remove(`/apis/coordination.k8s.io/v1/namespaces/${LEASE_NAMESPACE}/leases/${this.lease}`);
  }

  /** It takes free ports and logs which. @throws Error with its output when it ended before */
  #address(port: 'metricsPort' | 'healthPort'): Promise<string> {
    return until('the ports of the operator', async () => {
      const line = this.lines.find(({ msg }) => msg === 'the operator runs');
      if (line === undefined && this.#hasEnded) throw new Error(`the operator ended:\n${this.output}`);
      return line === undefined ? undefined : `http://127.0.0.1:${String(line[port])}`;
    });
  }

  async waitForLog(text: string): Promise<void> {
    await until(`"${text}" in the log of the operator`, async () =>
      this.output.includes(text) ? true : undefined,
    );
  }
}

/** Starts one and waits until it may work. */
export async function runOperator(cluster: Cluster, options: OperatorOptions = {}): Promise<OperatorProcess> {
  const operator = await OperatorProcess.start(cluster, options);
  return operator.ready();
}

interface Allowance {
  readonly user: string;
  readonly namespaces: readonly string[];
  readonly lease: string;
}

async function allow(api: Api, { user, namespaces, lease }: Allowance): Promise<void> {
  if (namespaces.length === 0) {
    await bind(api, { user, kind: 'ClusterRole', base: RBAC, rules: [...NAMESPACE_RULES, ...CLUSTER_RULES] });
  }
  for (const namespace of namespaces) {
    await bind(api, { user, kind: 'Role', base: `${RBAC}/namespaces/${namespace}`, rules: NAMESPACE_RULES });
  }
  const base = `${RBAC}/namespaces/${LEASE_NAMESPACE}`;
  await bind(api, { user, kind: 'Role', base, rules: leaseRules(lease), name: `${user}-${lease}` });
}

interface Grant {
  readonly user: string;
  readonly kind: 'Role' | 'ClusterRole';
  readonly base: string;
  readonly rules: readonly PolicyRule[];
  readonly name?: string;
}

async function bind(api: Api, { user, kind, base, rules, name = user }: Grant): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const prefix = kind === 'Role' ? 'role' : 'clusterrole';
  await api.apply(`${base}/${prefix}s/${name}`, { apiVersion, kind, metadata: { name }, rules });
  await api.apply(`${base}/${prefix}bindings/${name}`, {
    apiVersion,
    kind: `${kind}Binding`,
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}
