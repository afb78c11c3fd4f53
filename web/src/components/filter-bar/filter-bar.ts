import { requestKinds, requestOutcomes } from '@claude-nexus/api-contract';
import { LitElement, css, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { RequestFilters } from '../../common/filters.ts';
import { FiltersChanged } from '../../events/filters-changed.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';

const styles = css`
  form {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6rem;
    align-items: end;
  }

  label {
    display: grid;
    gap: 0.2rem;
    font-size: 0.85rem;
    color: var(--text-muted);
  }

  input {
    width: 14rem;
    max-width: 100%;
  }
`;

/**
 * Filters of the request list.
 *
 * @summary Request filters.
 * @event filters-changed - FiltersChanged with the new filters
 */
@customElement('nexus-filter-bar')
export class FilterBar extends LitElement {
  static override styles = [sharedStyles, styles];

  @property({ attribute: false }) filters: RequestFilters = {};

  override render(): TemplateResult {
    const { kind, outcome, model, domain, session } = this.filters;
    return html`
      <form role="search" aria-label="Filter requests" @change=${this._onChange} @submit=${this._onSubmit}>
        ${choice('Kind', 'kind', { options: requestKinds, value: kind })}
        ${choice('Outcome', 'outcome', { options: requestOutcomes, value: outcome })}
        ${field('Model', 'model', model)} ${field('Domain', 'domain', domain)}
        ${field('Session', 'session', session)}
        <button type="button" @click=${this._clear}>Clear</button>
      </form>
    `;
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

function choice(
  label: string,
  name: string,
  { options, value }: { options: readonly string[]; value: string | undefined },
): TemplateResult {
  return html`<label>
    ${label}
    <select name=${name} .value=${value ?? ''}>
      <option value="" ?selected=${!value}>All</option>
      ${options.map((option) => html`<option value=${option} ?selected=${option === value}>${option}</option>`)}
    </select>
  </label>`;
}

function field(label: string, name: string, value: string | undefined): TemplateResult {
  return html`<label>${label}<input name=${name} .value=${value ?? ''} maxlength="256" /></label>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-filter-bar': FilterBar;
  }
}
