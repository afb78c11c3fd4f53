import type { RequestOutcome } from '@claude-nexus/api-contract';
import { LitElement, css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { visibleText } from '../../common/visible-text.ts';
import { outcomeText } from './outcome-text.ts';

const styles = css`
  span {
    display: inline-flex;
    align-items: center;
    gap: 0.45em;
    white-space: nowrap;
    font-size: 0.92em;
    font-weight: 600;
    color: var(--text-muted);
  }

  span::before {
    content: '';
    width: 0.55em;
    height: 0.55em;
    border-radius: 50%;
    background: currentcolor;
  }

  /* The usual case is quiet, so that the others stand out. */
  .completed {
    font-weight: 400;
    color: var(--text);
  }

  .completed::before {
    background: var(--good);
  }

  .pending {
    color: var(--accent);
  }

  .pending::before {
    animation: pulse 1.2s ease-in-out infinite alternate;
  }

  .aborted,
  .interrupted {
    color: var(--warn);
  }

  .error {
    color: var(--bad);
  }

  @keyframes pulse {
    to {
      opacity: 0.25;
    }
  }

  @media (prefers-reduced-motion: reduce) {
    .pending::before {
      animation: none;
    }
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
  @property() outcome: RequestOutcome = 'pending';
  /** HTTP status, shown with errors. */
  @property({ type: Number }) status: number | null = null;
  /** Type of the error as the API names it. */
  @property({ attribute: 'error-type' }) errorType: string | null = null;

  override render(): TemplateResult {
    return html`<span class=${this.outcome}>${visibleText(outcomeText(this.outcome, this))}</span>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-status-badge': StatusBadge;
  }
}
