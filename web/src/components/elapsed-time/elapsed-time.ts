import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { formatDuration } from '../../common/format.ts';

const TICK_MS = 1000;

/**
 * Time since an instant, in whole seconds, counting.
 *
 * @summary Running time.
 */
@customElement('nexus-elapsed-time')
export class ElapsedTime extends LitElement {
  /** RFC 3339. */
  @property() since = '';

  private _timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this._timer = setInterval(() => this.requestUpdate(), TICK_MS);
  }

  override disconnectedCallback(): void {
    clearInterval(this._timer);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    // The clocks of server and browser may differ; time never runs backwards here.
    const ms = Math.max(0, Date.now() - Date.parse(this.since));
    return html`${ms < TICK_MS ? '0 s' : formatDuration(Math.floor(ms / TICK_MS) * TICK_MS).replace('.0 s', ' s')}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-elapsed-time': ElapsedTime;
  }
}
