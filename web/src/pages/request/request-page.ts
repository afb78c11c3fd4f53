import type { ContentBlock, HeaderPair, Message, RequestDetail } from '@claude-nexus/api-contract';
import { Task } from '@lit/task';
import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { formatBytes, formatCount, formatTime } from '../../common/format.ts';
import '../../components/content-block/content-block.ts';
import '../../components/status-badge/status-badge.ts';
import '../../components/summary-tiles/summary-tiles.ts';
import { ApiError } from '../../data/http.ts';
import { readRequest } from '../../data/requests.ts';
import { requestsHref } from '../../routes.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { facts, tiles } from './request-figures.ts';
import { requestPageStyles } from './request-page.styles.ts';

/**
 * One request: figures, messages, answer, headers.
 *
 * @summary Page of a request.
 */
@customElement('nexus-request-page')
export class RequestPage extends LitElement {
  static override styles = [sharedStyles, requestPageStyles];

  /** Id of the request shown. */
  @property({ attribute: 'request-id' }) requestId = '';

  private readonly _detail = new Task(this, {
    task: async ([id], { signal }) => await readRequest(id, signal),
    args: () => [this.requestId] as const,
  });

  override render(): TemplateResult {
    return html`
      <p><a href=${requestsHref()}>← Requests</a></p>
      ${this._detail.render({
        pending: () => html`<p class="muted">Loading…</p>`,
        error: (error) => this._problem(error),
        complete: (detail) => this._request(detail),
      })}
    `;
  }

  private _problem(error: unknown): TemplateResult {
    const message = error instanceof ApiError ? error.message : 'The dashboard does not answer.';
    return html`<h1>Request</h1>
      <p class="problem" role="alert">${message}</p>
      <button @click=${this._retry}>Try again</button>`;
  }

  private _request(detail: RequestDetail): TemplateResult {
    return html`
      <header>
        <h1>${detail.model ?? 'Request'}</h1>
        <nexus-status-badge .outcome=${detail.outcome} .status=${detail.status}></nexus-status-badge>
        <span class="muted">${formatTime(detail.startedAt)}</span>
        ${detail.outcome === 'pending' ? html`<button @click=${this._retry}>Refresh</button>` : ''}
      </header>
      ${
        detail.errorType === null
          ? ''
          : html`<p class="problem"><strong>${detail.errorType}</strong> ${detail.errorMessage ?? ''}</p>`
      }
      <nexus-summary-tiles .tiles=${tiles(detail)}></nexus-summary-tiles>
      ${requestSection(detail)} ${responseSection(detail)} ${factsSection(detail)}
      ${headersSection('Request headers', detail.requestHeaders)}
      ${headersSection('Response headers', detail.responseHeaders)}
    `;
  }

  private _retry(): void {
    void this._detail.run();
  }
}

function requestSection({ request, storage }: RequestDetail): TemplateResult {
  return html`<section aria-labelledby="request-title">
    <h2 id="request-title">Request</h2>
    ${download(request.bodyUrl, storage.requestLength)} ${parseProblem(request.parseError)}
    ${request.system.length === 0 ? '' : folded(`System (${request.system.length} blocks)`, blocks(request.system, request.bodyUrl))}
    ${request.tools.length === 0 ? '' : folded(`Tools (${request.tools.length})`, html`<p class="mono">${request.tools.join(', ')}</p>`)}
    ${request.messagesOmitted === 0 ? '' : html`<p class="muted">${formatCount(request.messagesOmitted)} earlier messages are not shown.</p>`}
    ${request.messages.map((message) => messageCard(message, request.bodyUrl))}
  </section>`;
}

function responseSection({ response, storage }: RequestDetail): TemplateResult {
  const { message, error, complete, bodyUrl } = response;
  return html`<section aria-labelledby="response-title">
    <h2 id="response-title">Response</h2>
    ${download(bodyUrl, storage.responseLength)} ${parseProblem(response.parseError)}
    ${error === null ? '' : html`<p class="problem"><strong>${error.type}</strong> ${error.message}</p>`}
    ${message === null ? '' : messageCard({ ...message, index: -1 }, bodyUrl)}
    ${message === null || complete ? '' : html`<p class="muted">The stream was cut here.</p>`}
    ${message === null && error === null && response.parseError === null ? html`<p class="muted">No answer is stored.</p>` : ''}
  </section>`;
}

function messageCard(message: Message, bodyUrl: string | null): TemplateResult {
  return html`<article data-role=${message.role}>
    <h3>${message.role}</h3>
    ${message.blocks.length === 0 ? html`<p class="muted">Empty.</p>` : blocks(message.blocks, bodyUrl)}
    ${message.blocksOmitted === 0 ? '' : html`<p class="muted">${formatCount(message.blocksOmitted)} more blocks.</p>`}
  </article>`;
}

function blocks(list: readonly ContentBlock[], bodyUrl: string | null): TemplateResult {
  return html`${list.map(
    (block) => html`<nexus-content-block .block=${block} .bodyUrl=${bodyUrl}></nexus-content-block>`,
  )}`;
}

function folded(title: string, content: TemplateResult): TemplateResult {
  return html`<details>
    <summary>${title}</summary>
    ${content}
  </details>`;
}

function download(bodyUrl: string | null, length: number): TemplateResult {
  if (bodyUrl === null) return html``;
  return html`<p>
    <a href=${bodyUrl} download>Download the body</a>
    <span class="muted">${formatBytes(length)} on the wire</span>
  </p>`;
}

function parseProblem(parseError: string | null): TemplateResult {
  return parseError === null ? html`` : html`<p class="problem">${parseError}</p>`;
}

function factsSection(detail: RequestDetail): TemplateResult {
  return html`<section aria-labelledby="facts-title">
    <h2 id="facts-title">Facts</h2>
    <dl>
      ${facts(detail).map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd class="mono">${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function headersSection(title: string, headers: readonly HeaderPair[]): TemplateResult {
  if (headers.length === 0) return html``;
  return folded(
    `${title} (${headers.length})`,
    html`<table class="mono">
      <tbody>
        ${headers.map(
          ([name, value]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${value === null ? html`<span class="muted">value not stored</span>` : value}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-request-page': RequestPage;
  }
}
