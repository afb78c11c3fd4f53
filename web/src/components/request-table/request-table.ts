import type { RequestSummary } from '@claude-nexus/api-contract';
import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import {
  UNKNOWN,
  formatCompact,
  formatCount,
  formatDuration,
  formatInstant,
  formatMoney,
  formatShare,
  formatTime,
  shortId,
} from '../../common/format.ts';
import { cacheWriteTokens, cachedShare, promptTokens } from '../../common/tokens.ts';
import { visibleText } from '../../common/visible-text.ts';
import { requestHref, requestsHref } from '../../routes.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import '../elapsed-time/elapsed-time.ts';
import '../status-badge/status-badge.ts';
import { requestTableStyles } from './request-table.styles.ts';

/**
 * Requests as a table, newest first; each leads to its page. On a narrow screen each row is a card: the roles are
 * written out because browsers forget them for table parts that are laid out otherwise.
 *
 * @summary Table of requests.
 */
@customElement('nexus-request-table')
export class RequestTable extends LitElement {
  static override styles = [sharedStyles, requestTableStyles];

  @property({ attribute: false }) requests: readonly RequestSummary[] = [];

  override render(): TemplateResult {
    return html`
      <div class="scroll" role="region" aria-label="List of requests" tabindex="0">
        <table role="table">
          <caption class="visually-hidden">
            Requests, newest first
          </caption>
          ${head}
          <tbody role="rowgroup">
            ${repeat(
              this.requests,
              (request) => request.id,
              (request) => row(request),
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

const head = html`<thead role="rowgroup">
  <tr role="row">
    <th role="columnheader" scope="col">Started</th>
    <th role="columnheader" scope="col">Outcome</th>
    <th role="columnheader" scope="col">Kind</th>
    <th role="columnheader" scope="col">Model</th>
    <th role="columnheader" scope="col" class="number">Prompt</th>
    <th role="columnheader" scope="col" class="number">Cached</th>
    <th role="columnheader" scope="col" class="number">Output</th>
    <th role="columnheader" scope="col" class="number">Cost</th>
    <th role="columnheader" scope="col" class="number">First token</th>
    <th role="columnheader" scope="col" class="number">Duration</th>
    <th role="columnheader" scope="col">Session</th>
    <th role="columnheader" scope="col">Domain</th>
  </tr>
</thead>`;

function row(request: RequestSummary): TemplateResult {
  return html`<tr role="row">
    <th role="rowheader" scope="row" class="started" title=${formatInstant(request.startedAt)}>
      <a href=${requestHref(request.id)}>${formatTime(request.startedAt)}</a>
    </th>
    <td role="cell" class="outcome">
      <nexus-status-badge
        .outcome=${request.outcome}
        .status=${request.status}
        .errorType=${request.errorType}
      ></nexus-status-badge>
    </td>
    <td role="cell" class="kind">${request.kind}</td>
    <td role="cell" class="model mono">${visibleText(request.model ?? UNKNOWN)}</td>
    <td role="cell" class="number" data-label="Prompt" title=${promptParts(request)}>
      ${formatCompact(promptTokens(request))}
    </td>
    ${figure('Cached', formatShare(cachedShare(request)))}
    <td role="cell" class="number" data-label="Output" title=${formatCount(request.outputTokens)}>
      ${formatCompact(request.outputTokens)}
    </td>
    ${figure('Cost', formatMoney(request.costUsd))}
    ${figure('First token', formatDuration(request.firstTokenMs))}
    <td role="cell" class="number" data-label="Duration">
      ${
        request.outcome === 'pending'
          ? html`<nexus-elapsed-time .since=${request.startedAt}></nexus-elapsed-time>`
          : formatDuration(request.durationMs)
      }
    </td>
    <td role="cell" class="session mono">${session(request.sessionId)}</td>
    <td role="cell" class="domain">${visibleText(request.domain)}</td>
  </tr>`;
}

function figure(label: string, value: string): TemplateResult {
  return html`<td role="cell" class="number" data-label=${label}>${value}</td>`;
}

function session(id: string | null): TemplateResult {
  if (id === null) return html`${UNKNOWN}`;
  const href = requestsHref(`?${new URLSearchParams({ session: id })}`);
  return html`<a
    href=${href}
    title=${`Requests of session ${visibleText(id)}`}
    aria-label=${`Requests of session ${shortId(visibleText(id))}`}
    >${shortId(visibleText(id))}</a
  >`;
}

function promptParts(request: RequestSummary): string {
  if (request.inputTokens === null) return '';
  const parts = [
    `${formatCount(request.inputTokens)} uncached`,
    `${formatCount(request.cacheReadTokens)} read from the cache`,
    `${formatCount(cacheWriteTokens(request))} written to it`,
  ];
  return parts.join(', ');
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-request-table': RequestTable;
  }
}
