import { KubeConfig } from '@kubernetes/client-node';
import http from 'node:http';
import type { RequestOptions } from 'node:https';

import { KeptAgent } from './credentials.ts';
import type { Connection, Credentials } from './credentials.ts';
import { ApiUnreachableError, KubeconfigError } from './errors.ts';

/**
 * Reads the kubeconfig of a file, else of KUBECONFIG, the home folder or the pod.
 *
 * @throws {KubeconfigError} when there is none or it cannot be read
 */
export function readKubeconfig(file: string | undefined): Credentials {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch {
    // What it says may quote the file, which holds keys.
    throw new KubeconfigError('the kubeconfig cannot be read; check KUBECONFIG');
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || !URL.canParse(server)) {
    throw new KubeconfigError('the kubeconfig names no server for its current context; check KUBECONFIG');
  }
  return new KubeconfigCredentials(config, new URL(server));
}

/** client-node knows the ways to authenticate (tokens, certificates, exec, OIDC); it makes no request. */
class KubeconfigCredentials implements Credentials {
  readonly server: URL;
  readonly namespace: string;
  readonly #config: KubeConfig;
  readonly #agent = new KeptAgent();

  constructor(config: KubeConfig, server: URL) {
    this.#config = config;
    this.server = server;
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default';
  }

  async connection(): Promise<Connection> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new ApiUnreachableError('cannot authenticate to the API server', { cause });
    }
    const headers: http.OutgoingHttpHeaders = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
    // client-node's own agent opens a connection per request; only one through a proxy is taken from it.
    const proxied = Boolean(this.#config.getCurrentCluster()?.proxyUrl);
    const agent =
      proxied && options.agent instanceof http.Agent ? options.agent : this.#agent.get(this.server, options);
    return typeof options.auth === 'string' ? { headers, agent, auth: options.auth } : { headers, agent };
  }

  close(): void {
    this.#agent.destroy();
  }
}
