import { execute, untilCondition } from './pods.ts';
import type { RealCluster } from './real-cluster.ts';

/** Name of the pod. */
export const TESTER = 'tester';
const PORT = 8080;

/** A pod with the Messages API stand-in, in which scripts can play clients as well. */
export class Tester {
  /** Address of the stand-in within the cluster. */
  readonly url: string;
  readonly #real: RealCluster;
  readonly #namespace: string;

  private constructor(real: RealCluster, namespace: string) {
    this.#real = real;
    this.#namespace = namespace;
    this.url = `http://${TESTER}.${namespace}.svc:${PORT}`;
  }

  /** @param image `ClusterImages.tester` */
  static async start(real: RealCluster, namespace: string, image: string): Promise<Tester> {
    const labels = { app: TESTER };
    const api = real.cluster.api();
    await api.create(`/api/v1/namespaces/${namespace}/services`, {
      metadata: { name: TESTER },
      spec: { selector: labels, ports: [{ port: PORT }] },
    });
    await api.create(`/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name: TESTER, labels },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: TESTER,
            image,
            readinessProbe: { httpGet: { path: '/v1/models', port: PORT }, periodSeconds: 1 },
          },
        ],
      },
    });
    await untilCondition(real, { namespace, object: `pod/${TESTER}` });
    return new Tester(real, namespace);
  }

  /**
   * Runs a module in the pod, which may import `@anthropic-ai/sdk`.
   *
   * @returns what it printed
   * @throws Error with what it printed when it fails
   */
  script(source: string): Promise<string> {
    const command = ['node', '--input-type=module', '-'];
    return execute(this.#real, { namespace: this.#namespace, pod: TESTER, command }, source);
  }
}
