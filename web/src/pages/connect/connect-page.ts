import { LitElement, css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import '../../components/connect-hint/connect-hint.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';

const styles = css`
  :host {
    display: grid;
    gap: 1rem;
    max-width: 46rem;
    grid-template-columns: minmax(0, 1fr);
  }

  p {
    margin: 0;
  }
`;

/**
 * How clients reach the proxy of this gateway.
 *
 * @summary Page about connecting.
 */
@customElement('nexus-connect-page')
export class ConnectPage extends LitElement {
  static override styles = [sharedStyles, styles];

  override render(): TemplateResult {
    return html`
      <h1>Connect a client</h1>
      <p>
        Claude Code works as before; its requests to the Claude API go through the proxy, which records them.
        The same address serves every SDK of the Messages API as its base URL.
      </p>
      <nexus-connect-hint complete></nexus-connect-hint>
      <p class="muted">
        If your team was given client keys, set yours as <code>ANTHROPIC_AUTH_TOKEN</code>. Otherwise your own
        login or API key is passed on untouched, where your administrator allows that.
      </p>
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-connect-page': ConnectPage;
  }
}
