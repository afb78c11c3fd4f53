import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { KeptAgent } from './credentials.ts';
import type { Connection, Credentials } from './credentials.ts';
import { ApiUnreachableError } from './errors.ts';

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where a pod reaches the API server: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
export interface PodService {
  readonly host: string;
  readonly port: number;
}

/**
 * The service account of the pod this runs in. By hand, because the whole of client-node takes 60 MB that a pod never needs.
 *
 * @returns undefined outside a pod
 */
export function readPodCredentials(service: PodService, folder = FOLDER): Credentials | undefined {
  let namespace: string;
  try {
    namespace = readFileSync(join(folder, 'namespace'), 'utf8').trim();
  } catch {
    return undefined;
  }
  const host = service.host.includes(':') ? `[${service.host}]` : service.host;
  const server = new URL(`https://${host}:${service.port}`);
  const agent = new KeptAgent();
  return {
    server,
    namespace,
    connection: async (): Promise<Connection> => {
      try {
        // Both are replaced by the kubelet while the pod runs.
        const [token, ca] = await Promise.all([
          readFile(join(folder, 'token'), 'utf8'),
          readFile(join(folder, 'ca.crt')),
        ]);
        return { headers: { authorization: `Bearer ${token.trim()}` }, agent: agent.get(server, { ca }) };
      } catch (cause) {
        throw new ApiUnreachableError('cannot read the service account of the pod', { cause });
      }
    },
    close: () => agent.destroy(),
  };
}
