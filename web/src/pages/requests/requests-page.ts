import type { RequestSummary, StatsEvent } from '@claude-nexus/api-contract';
import { LitElement, html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { filtersFrom, queryOf } from '../../common/filters.ts';
import type { RequestFilters } from '../../common/filters.ts';
import { MAX_LIVE_ROWS, mergeRequests, restartList } from '../../common/request-list.ts';
import '../../components/connect-hint/connect-hint.ts';
import '../../components/filter-bar/filter-bar.ts';
import '../../components/request-table/request-table.ts';
import '../../components/summary-tiles/summary-tiles.ts';
import { openEvents } from '../../data/events.ts';
import { ApiError } from '../../data/http.ts';
import { listRequests } from '../../data/requests.ts';
import { Unauthenticated } from '../../events/unauthenticated.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { requestsPageStyles } from './requests-page.styles.ts';
import { statsTiles } from './stats-tiles.ts';

const RETRY_SECONDS = 5;

/**
 * The live list of requests.
 *
 * @summary Requests, newest first, fed by the event stream.
 */
@customElement('nexus-requests-page')
export class RequestsPage extends LitElement {
  static override styles = [sharedStyles, requestsPageStyles];

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
  private _retry: ReturnType<typeof setTimeout> | undefined;
  /** Grows only by "Load older". */
  private _rowLimit = MAX_LIVE_ROWS;
  private _pushed: RequestSummary[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    // First the stream, then the list: what happens in between arrives twice rather than never.
    this._closeEvents = openEvents({
      request: (summary) => this._push(summary),
      stats: (stats) => (this._stats = stats),
      reset: () => void this._reload(),
      connection: (connection) => (this._connection = connection),
      refused: () => this.dispatchEvent(new Unauthenticated()),
    });
  }

  override disconnectedCallback(): void {
    this._closeEvents?.();
    this._load.abort();
    clearTimeout(this._retry);
    super.disconnectedCallback();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('search')) return;
    this._filters = filtersFrom(this.search);
    // What is known to match is shown until the answer comes.
    this._requests = mergeRequests([], this._requests, this._filters);
    this._nextCursor = null;
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
      ${this._stats === undefined ? nothing : html`<nexus-summary-tiles .tiles=${statsTiles(this._stats)}></nexus-summary-tiles>`}
      <nexus-filter-bar .filters=${this._filters} .requests=${this._requests}></nexus-filter-bar>
      ${this._problem === '' ? nothing : html`<p class="problem" role="alert">${this._problem}</p>`}
      ${this._list()}
    `;
  }

  private _list(): TemplateResult {
    if (this._requests.length === 0 && this._nextCursor === null) return this._empty();
    return html`
      ${this._requests.length === 0 ? nothing : html`<nexus-request-table .requests=${this._requests}></nexus-request-table>`}
      ${
        this._nextCursor === null
          ? nothing
          : html`<button class="more" ?disabled=${this._loading} @click=${this._loadOlder}>
              Load older
            </button>`
      }
    `;
  }

  private _empty(): TemplateResult {
    if (this._loading) return html`<p class="muted">Loading…</p>`;
    if (this._problem !== '') return html``;
    if (queryOf(this._filters) !== '')
      return html`<div class="empty"><p>No request matches these filters.</p></div>`;
    return html`<div class="empty">
      <h2>No requests yet</h2>
      <p class="muted">Point Claude Code at the proxy, and its requests appear here as they happen.</p>
      <nexus-connect-hint></nexus-connect-hint>
    </div>`;
  }

  /** Many events may arrive at once; they are shown together. */
  private _push(summary: RequestSummary): void {
    this._pushed.push(summary);
    if (this._pushed.length === 1) requestAnimationFrame(() => this._showPushed());
  }

  private _showPushed(): void {
    this._requests = mergeRequests(this._requests, this._pushed.splice(0), this._filters);
    // The end cannot be cut off: the cursor leads on from there. A reader further down is left in peace.
    const atTop = window.scrollY < window.innerHeight;
    if (this._requests.length > this._rowLimit && atTop) void this._reload();
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
    clearTimeout(this._retry);
    this._loading = true;
    try {
      const page = await listRequests(this._filters, { cursor, signal });
      if (signal.aborted) return;
      const add = cursor === null ? restartList : mergeRequests;
      this._requests = add(this._requests, page.requests, this._filters);
      if (cursor !== null) this._rowLimit += page.requests.length;
      this._nextCursor = page.nextCursor;
      this._problem = '';
    } catch (error) {
      if (!signal.aborted) this._failed(error, cursor);
    } finally {
      if (!signal.aborted) this._loading = false;
    }
  }

  /** What is shown stays. A failure that may pass is tried again, a refused input is not. */
  private _failed(error: unknown, cursor: string | null): void {
    if (error instanceof ApiError && error.status === 401) this.dispatchEvent(new Unauthenticated());
    if (error instanceof ApiError && error.status < 500) {
      this._problem = error.message;
      return;
    }
    const seconds = (error instanceof ApiError ? error.retryAfter : null) ?? RETRY_SECONDS;
    const cause = error instanceof ApiError ? error.message : 'The dashboard does not answer.';
    this._problem = `${cause} (Trying again every ${seconds} seconds.)`;
    this._retry = setTimeout(() => void this._read(cursor), seconds * 1000);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-requests-page': RequestsPage;
  }
}
