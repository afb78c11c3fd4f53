import { LitElement, css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

const styles = css`
  span {
    display: inline-block;
    white-space: nowrap;
    font-size: 0.85em;
    font-weight: 600;
    padding: 0.05rem 0.5rem;
    border-radius: 999px;
    border: 1px solid currentcolor;
    color: var(--text-muted);
  }

  .completed {
    color: var(--good);
  }

  .pending {
    color: var(--accent);
  }

  .aborted,
  .interrupted {
    color: var(--warn);
  }

  .error {
    color: var(--bad);
  }
`;

/**
 * How a request ended, in words and colour.
 *
 * @summary Outcome of a request.
 */
@customElement('nexus-status-badge')
export class StatusBadge extends LitElement {
  static override styles = [styles];

  /** Outcome as the API names it. */
  @property() outcome = 'pending';
  /** HTTP status, shown with errors. */
  @property({ type: Number }) status: number | null = null;

  override render(): TemplateResult {
    const detail = this.outcome === 'error' && this.status !== null ? ` ${this.status}` : '';
    return html`<span class=${this.outcome}>${this.outcome}${detail}</span>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-status-badge': StatusBadge;
  }
}
