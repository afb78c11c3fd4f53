import type { Message } from '@claude-nexus/api-contract';
import { LitElement, css, html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { formatCount } from '../../common/format.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { messageCard, toolNamesOf } from './message-card.ts';
import { messageCardStyles } from './message-card.styles.ts';

const styles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.6rem;
  }

  article {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 9rem;
  }

  .earlier {
    justify-self: center;
  }
`;

/** Messages shown at first: the newest, which are what a request adds to its conversation. */
const FIRST = 12;
const STEP = 200;

/**
 * The messages of a request, the newest at once and earlier ones on demand.
 *
 * @summary Messages.
 */
@customElement('nexus-message-list')
export class MessageList extends LitElement {
  static override styles = [sharedStyles, messageCardStyles, styles];

  @property({ attribute: false }) messages: readonly Message[] = [];
  /** Address of the complete body. */
  @property({ attribute: 'body-url' }) bodyUrl: string | null = null;

  @state() private _count = FIRST;
  private _toolNames: ReadonlyMap<string, string> = new Map();

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('messages')) this._toolNames = toolNamesOf(this.messages);
  }

  override render(): TemplateResult {
    const hidden = Math.max(0, this.messages.length - this._count);
    const { bodyUrl, _toolNames: toolNames } = this;
    return html`
      ${hidden === 0 ? nothing : this._earlier(hidden)}
      ${repeat(
        this.messages.slice(hidden),
        (message) => message.index,
        (message) => messageCard(message, { note: `#${message.index + 1}`, bodyUrl, toolNames }),
      )}
    `;
  }

  private _earlier(hidden: number): TemplateResult {
    const next = Math.min(STEP, hidden);
    const rest = hidden > next ? ` of ${formatCount(hidden)}` : '';
    return html`<button type="button" class="earlier" @click=${this._showEarlier}>
      Show ${formatCount(next)}${rest} earlier messages
    </button>`;
  }

  private _showEarlier(): void {
    this._count += STEP;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-message-list': MessageList;
  }
}
