import http from 'node:http';
import https from 'node:https';

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

const TLS_FIELDS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const;
type TlsMaterial = Pick<https.AgentOptions, (typeof TLS_FIELDS)[number]>;

/** One agent whose connections are kept, made anew only when what it shows or trusts changes. */
export class KeptAgent {
  #current: { readonly agent: http.Agent; readonly material: readonly unknown[] } | undefined;

  /** Requests that still run on an older agent's connections go on. */
  get(server: URL, tls: TlsMaterial): http.Agent {
    const material = TLS_FIELDS.map((field) => tls[field]);
    if (this.#current !== undefined && isSame(this.#current.material, material)) return this.#current.agent;
    const given = TLS_FIELDS.map((field) => [field, tls[field]]).filter(([, value]) => value !== undefined);
    const agent =
      server.protocol === 'http:'
        ? new http.Agent({ keepAlive: true })
        : new https.Agent({ keepAlive: true, keepAliveMsecs: 30_000, ...Object.fromEntries(given) });
    this.#current = { agent, material };
    return agent;
  }

  destroy(): void {
    this.#current?.agent.destroy();
  }
}

function isSame(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.every((value, index) => {
    const other = after[index];
    return Buffer.isBuffer(value) && Buffer.isBuffer(other) ? value.equals(other) : value === other;
  });
}
