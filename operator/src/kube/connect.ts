import type { ApiClient } from './api-client.ts';
import type { Credentials } from './credentials.ts';
import { HttpApiClient } from './http-api-client.ts';
import { HttpTransport } from './http-transport.ts';
import type { OperatorMetrics } from './metrics.ts';
import { readPodCredentials } from './pod-credentials.ts';
import type { PodService } from './pod-credentials.ts';

export interface ConnectOptions {
  readonly userAgent: string;
  /** File; absent: the pod's service account where `service` is given, else KUBECONFIG or the home folder. */
  readonly kubeconfig?: string | undefined;
  readonly service?: PodService | undefined;
  /** For a whole answer, and for the head of a watch. */
  readonly requestTimeoutMs: number;
  /** Of requests about the lease: two attempts fit into the time after which a leader gives up. */
  readonly leaseTimeoutMs: number;
  readonly metrics: OperatorMetrics;
}

export interface ConnectedApi {
  readonly client: ApiClient;
  /** For leader election: has connections of its own and gives up early, so that a dead one is noticed in time. */
  readonly leaseClient: ApiClient;
  /** Namespace of the context or of the pod. */
  readonly namespace: string;
  close(): void;
}

/**
 * Prepares the way to the API server; nothing is sent yet.
 *
 * @throws {KubeconfigError} when there is no usable kubeconfig
 */
export async function connect(options: ConnectOptions): Promise<ConnectedApi> {
  const credentials = await findCredentials(options);
  const leaseCredentials = await findCredentials(options);
  const client = (own: Credentials, requestTimeoutMs: number): ApiClient => {
    const { userAgent, metrics } = options;
    return new HttpApiClient(new HttpTransport({ credentials: own, userAgent, requestTimeoutMs, metrics }));
  };
  return {
    client: client(credentials, options.requestTimeoutMs),
    leaseClient: client(leaseCredentials, options.leaseTimeoutMs),
    namespace: credentials.namespace,
    close: () => {
      credentials.close();
      leaseCredentials.close();
    },
  };
}

async function findCredentials({ kubeconfig, service }: ConnectOptions): Promise<Credentials> {
  const pod = kubeconfig === undefined && service !== undefined ? readPodCredentials(service) : undefined;
  if (pod !== undefined) return pod;
  // Loaded only where a kubeconfig is used.
  const { readKubeconfig } = await import('./kubeconfig-credentials.ts');
  return readKubeconfig(kubeconfig);
}
