import type { ProxyStatus } from '@claude-nexus/api-contract';
import { Task } from '@lit/task';
import { LitElement, css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { readProxy } from '../../data/proxy.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import '../copy-line/copy-line.ts';
import { connectLines } from './connect-lines.ts';

const styles = css`
  :host {
    display: grid;
    gap: 0.9rem;
    min-width: 0;
  }

  p {
    margin: 0 0 0.3rem;
  }

  .line {
    min-width: 0;
  }
`;

/**
 * The lines that point Claude Code at the proxy of this gateway.
 *
 * @summary How to connect a client.
 */
@customElement('nexus-connect-hint')
export class ConnectHint extends LitElement {
  static override styles = [sharedStyles, styles];

  /** Shows every way, not only the first. */
  @property({ type: Boolean }) complete = false;

  private readonly _proxy = new Task(this, {
    task: async (_, { signal }) => await readProxy(signal),
    args: () => [],
  });

  override render(): TemplateResult {
    const unknown: ProxyStatus = { url: null, status: 'unknown', checkedAt: null };
    return html`${this._proxy.render({
      pending: () => html`<p class="muted">Asking for the address of the proxy…</p>`,
      error: () => this._lines(unknown),
      complete: (proxy) => this._lines(proxy),
    })}`;
  }

  private _lines(proxy: ProxyStatus): TemplateResult {
    const lines = connectLines(proxy.url);
    return html`
      ${
        proxy.status === 'down'
          ? html`<p class="problem" role="alert">
              The proxy does not answer at ${proxy.url}. Requests sent there now fail.
            </p>`
          : ''
      }
      ${(this.complete ? lines : lines.slice(0, 1)).map(
        ({ title, text }) =>
          html`<div class="line">
            <p class="muted">${title}</p>
            <nexus-copy-line .text=${text} .label=${title}></nexus-copy-line>
          </div>`,
      )}
      ${
        proxy.url === null
          ? html`<p class="muted">
              Put the address of your proxy in its place; with <code>PROXY_API_URL</code> set, it stands here.
            </p>`
          : ''
      }
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-connect-hint': ConnectHint;
  }
}
