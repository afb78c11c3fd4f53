import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { copyText } from '../../common/clipboard.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { copyLineStyles } from './copy-line.styles.ts';

const SAID_MS = 2000;
const LABELS = { idle: 'Copy', copied: 'Copied', failed: 'Not allowed' } as const;

/**
 * A line to paste elsewhere, with a button that copies it.
 *
 * @summary Line with a copy button.
 */
@customElement('nexus-copy-line')
export class CopyLine extends LitElement {
  static override styles = [sharedStyles, copyLineStyles];

  /** The line. */
  @property() text = '';
  /** What the line is, for people who do not see it. */
  @property() label = 'line';

  @state() private _said: keyof typeof LABELS = 'idle';
  private _silence: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    clearTimeout(this._silence);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    return html`<div>
        <pre><code>${this.text}</code></pre>
        <button type="button" @click=${this._copy}>
          ${LABELS[this._said]}<span class="visually-hidden"> ${this.label}</span>
        </button>
      </div>
      <span class="visually-hidden" role="status">${this._said === 'idle' ? '' : LABELS[this._said]}</span>`;
  }

  private async _copy(): Promise<void> {
    this._said = (await copyText(this.text)) ? 'copied' : 'failed';
    clearTimeout(this._silence);
    this._silence = setTimeout(() => (this._said = 'idle'), SAID_MS);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-copy-line': CopyLine;
  }
}
