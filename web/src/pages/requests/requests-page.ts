import type { RequestSummary, StatsEvent } from '@claude-nexus/api-contract';
import { LitElement, css, html } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { filtersFrom, queryOf } from '../../common/filters.ts';
import type { RequestFilters } from '../../common/filters.ts';
import { formatCompact, formatCount, formatMoney } from '../../common/format.ts';
import { MAX_LIVE_ROWS, mergeRequests } from '../../common/request-list.ts';
import '../../components/filter-bar/filter-bar.ts';
import '../../components/request-table/request-table.ts';
import '../../components/summary-tiles/summary-tiles.ts';
import type { Tile } from '../../components/summary-tiles/summary-tiles.ts';
import { openEvents } from '../../data/events.ts';
import { ApiError } from '../../data/http.ts';
import { listRequests } from '../../data/requests.ts';
import type { FiltersChanged } from '../../events/filters-changed.ts';
import { requestsHref } from '../../routes.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';

const styles = css`
  :host {
    display: grid;
    gap: 1.1rem;
  }

  .title {
    display: flex;
    align-items: baseline;
    gap: 1rem;
  }

  .live::before {
    content: '';
    display: inline-block;
    width: 0.6em;
    height: 0.6em;
    margin-inline-end: 0.4em;
    border-radius: 50%;
    background: var(--good);
  }

  .connecting::before {
    background: var(--warn);
  }

  .empty {
    padding: 2.5rem 1rem;
    text-align: center;
    background: var(--surface-raised);
    border: 1px dashed var(--border);
    border-radius: var(--radius);
  }

  .more {
    justify-self: center;
  }
`;

/**
 * The live list of requests.
 *
 * @summary Requests, newest first, fed by the event stream.
 */
@customElement('nexus-requests-page')
export class RequestsPage extends LitElement {
  static override styles = [sharedStyles, styles];

  /** Query part of the address: the filters. */
  @property() search = '';

  @state() private _requests: RequestSummary[] = [];
  @state() private _nextCursor: string | null = null;
  @state() private _loading = true;
  @state() private _problem = '';
  @state() private _connection: 'live' | 'connecting' = 'connecting';
  @state() private _stats: StatsEvent | undefined;

  private _filters: RequestFilters = {};
  private _load = new AbortController();
  private _closeEvents: (() => void) | undefined;
  /** Rows grow only by "Load older"; what live requests push beyond that is dropped from the end. */
  private _rowLimit = MAX_LIVE_ROWS;

  override connectedCallback(): void {
    super.connectedCallback();
    // First the stream, then the list: what happens in between arrives twice rather than never.
    this._closeEvents = openEvents({
      request: (summary) => this._merge([summary]),
      stats: (stats) => (this._stats = stats),
      reset: () => void this._reload(),
      connection: (connection) => (this._connection = connection),
      refused: () => this.dispatchEvent(new Event('unauthenticated', { bubbles: true, composed: true })),
    });
  }

  override disconnectedCallback(): void {
    this._closeEvents?.();
    this._load.abort();
    super.disconnectedCallback();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('search')) return;
    this._filters = filtersFrom(this.search);
    this._requests = [];
    void this._reload();
  }

  override render(): TemplateResult {
    const live = this._connection === 'live';
    return html`
      <div class="title">
        <h1>Requests</h1>
        <span class=${live ? 'live muted' : 'live connecting muted'} role="status">
          ${live ? 'Live' : 'Connecting…'}
        </span>
      </div>
      ${this._stats === undefined ? '' : html`<nexus-summary-tiles .tiles=${tiles(this._stats)}></nexus-summary-tiles>`}
      <nexus-filter-bar .filters=${this._filters} @filters-changed=${this._onFilters}></nexus-filter-bar>
      ${this._problem === '' ? '' : html`<p class="problem" role="alert">${this._problem}</p>`}
      ${this._list()}
    `;
  }

  private _list(): TemplateResult {
    if (this._requests.length === 0 && this._nextCursor === null) return this._empty();
    return html`
      <nexus-request-table .requests=${this._requests}></nexus-request-table>
      ${
        this._nextCursor === null
          ? ''
          : html`<button class="more" ?disabled=${this._loading} @click=${this._loadOlder}>
              Load older
            </button>`
      }
    `;
  }

  private _empty(): TemplateResult {
    if (this._loading) return html`<p class="muted">Loading…</p>`;
    if (this._problem !== '') return html``;
    if (queryOf(this._filters) !== '') return html`<p class="empty">No request matches these filters.</p>`;
    return html`<div class="empty">
      <h2>No requests yet</h2>
      <p class="muted">Point Claude Code at the proxy, and its requests appear here as they happen.</p>
    </div>`;
  }

  private _merge(incoming: readonly RequestSummary[]): void {
    const merged = mergeRequests(this._requests, incoming, this._filters);
    this._requests = merged.length > this._rowLimit ? merged.slice(0, this._rowLimit) : merged;
  }

  private async _reload(): Promise<void> {
    this._load.abort();
    this._load = new AbortController();
    this._rowLimit = MAX_LIVE_ROWS;
    await this._read(null);
  }

  private async _loadOlder(): Promise<void> {
    await this._read(this._nextCursor);
  }

  private async _read(cursor: string | null): Promise<void> {
    const { signal } = this._load;
    this._loading = true;
    try {
      const page = await listRequests(this._filters, { cursor, signal });
      if (signal.aborted) return;
      if (cursor !== null) this._rowLimit += page.requests.length;
      this._merge(page.requests);
      this._nextCursor = page.nextCursor;
      this._problem = '';
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 401) {
        this.dispatchEvent(new Event('unauthenticated', { bubbles: true, composed: true }));
      }
      this._problem = error instanceof ApiError ? error.message : 'The dashboard does not answer.';
    } finally {
      if (!signal.aborted) this._loading = false;
    }
  }

  private _onFilters(event: FiltersChanged): void {
    const href = requestsHref(queryOf(event.filters));
    history.pushState(null, '', new URL(href, document.baseURI));
    window.dispatchEvent(new PopStateEvent('popstate'));
  }
}

function tiles({ totals }: StatsEvent): Tile[] {
  const unpriced = totals.unpricedRequests;
  return [
    { label: 'Requests, 24 h', value: formatCount(totals.requests) },
    { label: 'Input tokens', value: formatCompact(totals.inputTokens) },
    { label: 'Cache reads', value: formatCompact(totals.cacheReadTokens) },
    { label: 'Cache writes', value: formatCompact(totals.cacheWrite5mTokens + totals.cacheWrite1hTokens) },
    { label: 'Output tokens', value: formatCompact(totals.outputTokens) },
    {
      label: 'Cost',
      value: formatMoney(totals.costUsd),
      ...(unpriced > 0 && { hint: `without ${formatCount(unpriced)} unpriced` }),
    },
  ];
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-requests-page': RequestsPage;
  }
}
