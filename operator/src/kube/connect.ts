import type { ApiClient } from './api-client.ts';
import { loadCredentials } from './credentials.ts';
import { HttpApiClient } from './http-api-client.ts';
import { HttpTransport } from './http-transport.ts';
import type { OperatorMetrics } from './metrics.ts';

const REQUEST_TIMEOUT_MS = 30_000;
/** Two attempts fit into the ten seconds after which a leader gives up. */
const LEASE_TIMEOUT_MS = 4000;

export interface ConnectOptions {
  readonly userAgent: string;
  /** File; absent: KUBECONFIG, the home folder or the pod. */
  readonly kubeconfig?: string | undefined;
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
export function connect(options: ConnectOptions): ConnectedApi {
  const { userAgent, metrics } = options;
  const [credentials, leaseCredentials] = [
    loadCredentials(options.kubeconfig),
    loadCredentials(options.kubeconfig),
  ];
  const common = { userAgent, metrics };
  return {
    client: new HttpApiClient(
      new HttpTransport({ ...common, credentials, requestTimeoutMs: REQUEST_TIMEOUT_MS }),
    ),
    leaseClient: new HttpApiClient(
      new HttpTransport({ ...common, credentials: leaseCredentials, requestTimeoutMs: LEASE_TIMEOUT_MS }),
    ),
    namespace: credentials.namespace,
    close: () => {
      credentials.close();
      leaseCredentials.close();
    },
  };
}
