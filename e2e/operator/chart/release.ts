import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { at } from '../../fixtures/control-plane/api.ts';
import { CHART } from '../../fixtures/helm.ts';
import { freePort, Program, ROOT } from '../../fixtures/program.ts';
import type { Helm, Values } from '../../fixtures/helm.ts';
import type { Lab } from '../set-up.ts';

const WAIT = ['--wait', '--timeout', '2m'];

/** A release of the chart in a namespace of its own. Its pods only seem to run: `runOperator` starts what they would. */
export class Release {
  readonly name = 'nexus';
  readonly namespace: string;
  readonly #lab: Lab;
  readonly #helm: Helm;

  private constructor(lab: Lab, helm: Helm, namespace: string) {
    this.#lab = lab;
    this.#helm = helm;
    this.namespace = namespace;
  }

  static async install(lab: Lab, helm: Helm, values: (namespace: string) => Values): Promise<Release> {
    const release = new Release(lab, helm, await lab.namespace());
    await release.#run(['install', release.name, CHART, ...WAIT], values(release.namespace));
    return release;
  }

  /** Name of the operator's objects, and of its ServiceAccount. */
  get operator(): string {
    return `${this.name}-claude-nexus-operator`;
  }

  /** The user that the API server sees in the operator. */
  get user(): string {
    return `system:serviceaccount:${this.namespace}:${this.operator}`;
  }

  upgrade(values: Values): Promise<string> {
    return this.#run(['upgrade', this.name, CHART, ...WAIT], values);
  }

  uninstall(): Promise<string> {
    return this.#run(['uninstall', this.name, ...WAIT]);
  }

  /** The manifest that is installed. */
  manifest(): Promise<string> {
    return this.#run(['get', 'manifest', this.name]);
  }

  /** Starts the operator with the rights of its ServiceAccount and the settings of its Deployment. */
  async runOperator(): Promise<{ readonly program: Program; readonly metricsPort: number }> {
    const { cluster } = this.#lab;
    const deployment = await cluster
      .api()
      .get(`/apis/apps/v1/namespaces/${this.namespace}/deployments/${this.operator}`);
    const variables = at(deployment, 'spec.template.spec.containers.0.env') as {
      name: string;
      value?: string;
    }[];
    const token = await cluster.serviceAccountToken(this.namespace, this.operator);
    const metricsPort = await freePort();
    const program = new Program([path.join(ROOT, 'operator/src/main.ts')], {
      ...Object.fromEntries(variables.map(({ name, value }) => [name, value ?? this.namespace])),
      KUBECONFIG: await this.#file(cluster.kubeconfigWithToken(token)),
      HOST: '127.0.0.1',
      METRICS_PORT: String(metricsPort),
      HEALTH_PORT: '0',
    });
    return { program, metricsPort };
  }

  async #run(args: readonly string[], values?: Values): Promise<string> {
    const kubeconfig = await this.#lab.cluster.kubeconfigFile();
    const given = values === undefined ? {} : { values };
    return this.#helm.run([...args, '--namespace', this.namespace], { kubeconfig, ...given });
  }

  async #file(kubeconfig: string): Promise<string> {
    const name = `${randomBytes(8).toString('hex')}.kubeconfig`;
    const file = path.join(this.#lab.cluster.connection.folder, name);
    await writeFile(file, kubeconfig, { mode: 0o600 });
    return file;
  }
}
