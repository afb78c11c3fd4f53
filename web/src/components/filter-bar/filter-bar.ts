import { requestKinds, requestOutcomes } from '@claude-nexus/api-contract';
import type { RequestSummary } from '@claude-nexus/api-contract';
import { LitElement, html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { RequestFilters } from '../../common/filters.ts';
import { visibleText } from '../../common/visible-text.ts';
import { FiltersChanged } from '../../events/filters-changed.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { filterBarStyles } from './filter-bar.styles.ts';

/** Most values offered for a field. */
const OFFERED = 30;

/**
 * Filters of the request list.
 *
 * @summary Request filters.
 * @event filters-changed - FiltersChanged with the new filters
 */
@customElement('nexus-filter-bar')
export class FilterBar extends LitElement {
  static override styles = [sharedStyles, filterBarStyles];

  @property({ attribute: false }) filters: RequestFilters = {};
  /** Requests in sight: their values are offered. */
  @property({ attribute: false }) requests: readonly RequestSummary[] = [];

  /** Whether the fields are in sight on a narrow screen. */
  @state() private _open = false;

  override render(): TemplateResult {
    const count = Object.keys(this.filters).length;
    return html`
      <button
        type="button"
        class="toggle"
        aria-expanded=${this._open}
        aria-controls="fields"
        @click=${this._toggle}
      >
        Filters${count === 0 ? '' : ` (${count})`}
      </button>
      <form
        id="fields"
        role="search"
        aria-label="Filter requests"
        autocomplete="off"
        @change=${this._onChange}
        @submit=${this._onSubmit}
      >
        ${this._choice('Kind', 'kind', requestKinds)} ${this._choice('Outcome', 'outcome', requestOutcomes)}
        ${this._field('Status', 'status', (request) => request.status?.toString())}
        ${this._field('Model', 'model', (request) => request.model)}
        ${this._field('Domain', 'domain', (request) => request.domain)}
        ${this._field('Account', 'account', (request) => request.accountId)}
        ${this._field('Session', 'session')} ${this._field('Agent', 'agent')}
        <button type="button" ?disabled=${count === 0} @click=${this._clear}>Clear</button>
      </form>
    `;
  }

  private _choice(label: string, name: keyof RequestFilters, options: readonly string[]): TemplateResult {
    const value = this.filters[name];
    return html`<label class=${value ? 'active' : ''}>
      ${label}
      <select name=${name} .value=${value ?? ''}>
        <option value="" ?selected=${!value}>All</option>
        ${options.map((option) => html`<option value=${option} ?selected=${option === value}>${option}</option>`)}
      </select>
    </label>`;
  }

  private _field(
    label: string,
    name: keyof RequestFilters,
    valueOf?: (request: RequestSummary) => string | null | undefined,
  ): TemplateResult {
    const value = this.filters[name];
    return html`<label class=${value ? 'active' : ''}>
      ${label}
      <input
        name=${name}
        .value=${value ?? ''}
        maxlength="256"
        spellcheck="false"
        placeholder="All"
        list=${valueOf === undefined ? nothing : `${name}-values`}
      />
      ${valueOf === undefined ? nothing : html`<datalist id=${`${name}-values`}>${this._offered(valueOf)}</datalist>`}
    </label>`;
  }

  private _offered(valueOf: (request: RequestSummary) => string | null | undefined): TemplateResult[] {
    const values = new Set(this.requests.map(valueOf).filter((value) => typeof value === 'string'));
    return [...values]
      .slice(0, OFFERED)
      .toSorted()
      .map((value) => html`<option value=${value}>${visibleText(value)}</option>`);
  }

  private _toggle(): void {
    this._open = !this._open;
  }

  private _onSubmit(event: Event): void {
    event.preventDefault();
    this._onChange();
  }

  private _onChange(): void {
    const form = this.renderRoot.querySelector('form') as HTMLFormElement;
    const filters: RequestFilters = {};
    for (const [name, value] of new FormData(form)) {
      if (typeof value === 'string' && value.trim() !== '')
        filters[name as keyof RequestFilters] = value.trim();
    }
    this.dispatchEvent(new FiltersChanged(filters));
  }

  private _clear(): void {
    this.dispatchEvent(new FiltersChanged({}));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-filter-bar': FilterBar;
  }
}
