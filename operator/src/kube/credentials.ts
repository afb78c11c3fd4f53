import { KubeConfig } from '@kubernetes/client-node';
import http from 'node:http';
import https from 'node:https';

import { ApiUnreachableError, KubeconfigError } from './errors.ts';

/** What goes into each request to reach and satisfy the API server. */
export interface Connection {
  readonly headers: http.OutgoingHttpHeaders;
  readonly agent: http.Agent;
  /** `user:password`, where a kubeconfig has them. */
  readonly auth?: string;
}

export interface Credentials {
  readonly server: URL;
  /** Of the kubeconfig's context or of the pod. */
  readonly namespace: string;
  /** Asked before every request, because tokens and certificates are replaced while the program runs. */
  connection(): Promise<Connection>;
  /** Closes idle connections. */
  close(): void;
}

/**
 * Reads the kubeconfig of a file, else of KUBECONFIG, the home folder or the pod.
 *
 * @throws {KubeconfigError} when there is none or it cannot be read
 */
export function loadCredentials(file: string | undefined): Credentials {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (cause) {
    throw new KubeconfigError('the kubeconfig cannot be read; check KUBECONFIG', { cause });
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || !URL.canParse(server)) {
    throw new KubeconfigError('the kubeconfig names no server for its current context; check KUBECONFIG');
  }
  return new KubeconfigCredentials(config, new URL(server));
}

class KubeconfigCredentials implements Credentials {
  readonly server: URL;
  readonly namespace: string;
  readonly #config: KubeConfig;
  #agent: { agent: http.Agent; material: readonly unknown[] } | undefined;

  constructor(config: KubeConfig, server: URL) {
    this.#config = config;
    this.server = server;
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default';
  }

  async connection(): Promise<Connection> {
    const options: https.RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new ApiUnreachableError('cannot authenticate to the API server', { cause });
    }
    const headers: http.OutgoingHttpHeaders = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
    const { auth } = options;
    const agent = this.#agentFor(options);
    return typeof auth === 'string' ? { headers, agent, auth } : { headers, agent };
  }

  close(): void {
    this.#agent?.agent.destroy();
  }

  /** client-node's own agent opens a connection per request; only one through a proxy is taken from it. */
  #agentFor(options: https.RequestOptions): http.Agent {
    if (this.#config.getCurrentCluster()?.proxyUrl && options.agent instanceof http.Agent)
      return options.agent;
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
    const material = [ca, cert, key, pfx, passphrase, rejectUnauthorized, servername];
    if (this.#agent !== undefined && sameMaterial(this.#agent.material, material)) return this.#agent.agent;
    const tls = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
    const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
    // Requests that still run on the old agent's connections go on.
    const agent =
      this.server.protocol === 'http:'
        ? new http.Agent({ keepAlive: true })
        : new https.Agent({ keepAlive: true, keepAliveMsecs: 30_000, ...given });
    this.#agent = { agent, material };
    return agent;
  }
}

function sameMaterial(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.every((value, index) => {
    const other = after[index];
    return Buffer.isBuffer(value) && Buffer.isBuffer(other) ? value.equals(other) : value === other;
  });
}
