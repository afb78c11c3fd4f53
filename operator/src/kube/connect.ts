import type { ApiClient } from './api-client.ts';
import type { Credentials } from './credentials.ts';
import { HttpApiClient } from './http-api-client.ts';
import { HttpTransport } from './http-transport.ts';
import type { OperatorMetrics } from './metrics.ts';
import { readPodCredentials } from './pod-credentials.ts';
import type { PodService } from './pod-credentials.ts';

const REQUEST_TIMEOUT_MS = 30_000;
/** Two attempts fit into the ten seconds after which a leader gives up. */
const LEASE_TIMEOUT_MS = 4000;

export interface ConnectOptions {
  readonly userAgent: string;
  /** File; absent: the pod's service account where `service` is given, else KUBECONFIG or the home folder. */
  readonly kubeconfig?: string | undefined;
  readonly service?: PodService | undefined;
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
    client: client(credentials, REQUEST_TIMEOUT_MS),
    leaseClient: client(leaseCredentials, LEASE_TIMEOUT_MS),
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
