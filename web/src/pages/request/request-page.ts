import type { RequestDetail, RequestSummary } from '@claude-nexus/api-contract';
import { Task } from '@lit/task';
import { LitElement, html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import { formatInstant } from '../../common/format.ts';
import { visibleText } from '../../common/visible-text.ts';
import '../../components/elapsed-time/elapsed-time.ts';
import { messageCardStyles } from '../../components/message-list/message-card.styles.ts';
import '../../components/status-badge/status-badge.ts';
import '../../components/summary-tiles/summary-tiles.ts';
import { openEvents } from '../../data/events.ts';
import { ApiError } from '../../data/http.ts';
import { readRequest } from '../../data/requests.ts';
import { Unauthenticated } from '../../events/unauthenticated.ts';
import { requestsHref } from '../../routes.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { tiles } from './request-figures.ts';
import { requestPageStyles } from './request-page.styles.ts';
import { detailsSection, requestSection, responseSection } from './request-sections.ts';

/**
 * One request: figures, messages, answer, details. While it is pending it follows the event stream.
 *
 * @summary Page of a request.
 */
@customElement('nexus-request-page')
export class RequestPage extends LitElement {
  static override styles = [sharedStyles, messageCardStyles, requestPageStyles];

  /** Id of the request shown. */
  @property({ attribute: 'request-id' }) requestId = '';
  /** Query of the list to go back to. */
  @property({ attribute: 'list-search' }) listSearch = '';

  private _closeEvents: (() => void) | undefined;

  private readonly _detail = new Task(this, {
    task: async ([id], { signal }) => await readRequest(id, signal),
    args: () => [this.requestId] as const,
    onError: (error) => {
      if (error instanceof ApiError && error.status === 401) this.dispatchEvent(new Unauthenticated());
    },
  });

  override disconnectedCallback(): void {
    this._follow(false);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const detail = this._current();
    return html`
      <p><a href=${requestsHref(this.listSearch)}>← Requests</a></p>
      ${detail === undefined ? this._none() : keyed(detail.id, this._request(detail))}
    `;
  }

  override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    const detail = this._current();
    if (detail !== undefined)
      document.title = visibleText(`${detail.model ?? 'Request'} · ${detail.outcome} · ClaudeNexus`);
    this._follow(detail?.outcome === 'pending');
  }

  /** The last answer about this request, also while it is read again. */
  private _current(): RequestDetail | undefined {
    const detail = this._detail.value;
    return detail?.id === this.requestId ? detail : undefined;
  }

  private _none(): TemplateResult {
    return html`<h1>Request</h1>
      ${this._detail.render({
        pending: () => html`<p class="muted">Loading…</p>`,
        error: (error) => this._problem(error),
      })}`;
  }

  private _problem(error: unknown): TemplateResult {
    const message = error instanceof ApiError ? error.message : 'The dashboard does not answer.';
    return html`<p class="problem" role="alert">${message}</p>
      <p><button @click=${this._read}>Try again</button></p>`;
  }

  private _request(detail: RequestDetail): TemplateResult {
    const long = detail.request.messages.length > 2;
    return html`
      <header>
        <h1>${visibleText(detail.model ?? `${detail.method} ${detail.path}`)}</h1>
        <nexus-status-badge
          .outcome=${detail.outcome}
          .status=${detail.status}
          .errorType=${detail.errorType}
        ></nexus-status-badge>
        <span class="muted">
          ${formatInstant(detail.startedAt)}${detail.outcome === 'pending' ? html`, for <nexus-elapsed-time .since=${detail.startedAt}></nexus-elapsed-time>` : nothing}
        </span>
        ${long ? html`<button type="button" class="jump" @click=${this._jump}>Go to the response</button>` : nothing}
      </header>
      ${
        detail.errorType === null
          ? nothing
          : html`<p class="problem">
              <strong>${visibleText(detail.errorType)}</strong> ${visibleText(detail.errorMessage ?? '')}
            </p>`
      }
      <nexus-summary-tiles .tiles=${tiles(detail)}></nexus-summary-tiles>
      <div class="columns">
        <div class="content">${requestSection(detail)} ${responseSection(detail)}</div>
        ${detailsSection(detail)}
      </div>
    `;
  }

  private readonly _read = (): void => {
    void this._detail.run();
  };

  /** With a <base>, a bare fragment would lead to the base address. */
  private _jump(): void {
    const response = this.renderRoot.querySelector<HTMLElement>('#response');
    response?.scrollIntoView({ block: 'start' });
    response?.focus({ preventScroll: true });
  }

  private _follow(pending: boolean): void {
    if (pending === (this._closeEvents !== undefined)) return;
    this._closeEvents?.();
    this._closeEvents = pending ? this._openEvents() : undefined;
  }

  private _openEvents(): () => void {
    return openEvents({
      request: (summary: RequestSummary) => {
        if (summary.id === this.requestId) this._read();
      },
      reset: this._read,
      // It may have ended between reading it and hearing of changes.
      connection: (connection) => {
        if (connection === 'live') this._read();
      },
      refused: () => this.dispatchEvent(new Unauthenticated()),
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-request-page': RequestPage;
  }
}
