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
  formatMoney,
  formatTime,
  shortId,
} from '../../common/format.ts';
import { requestHref } from '../../routes.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import '../status-badge/status-badge.ts';
import { requestTableStyles } from './request-table.styles.ts';

/**
 * Requests as a table, newest first; each leads to its page.
 *
 * @summary Table of requests.
 */
@customElement('nexus-request-table')
export class RequestTable extends LitElement {
  static override styles = [sharedStyles, requestTableStyles];

  @property({ attribute: false }) requests: readonly RequestSummary[] = [];

  override render(): TemplateResult {
    return html`
      <div class="scroll" role="region" aria-label="Requests" tabindex="0">
        <table>
          <caption class="visually-hidden">
            Requests, newest first
          </caption>
          <thead>
            <tr>
              <th scope="col">Started</th>
              <th scope="col">Outcome</th>
              <th scope="col">Kind</th>
              <th scope="col">Model</th>
              <th scope="col" class="number">Input</th>
              <th scope="col" class="number">Cached</th>
              <th scope="col" class="number">Output</th>
              <th scope="col" class="number">Cost</th>
              <th scope="col" class="number">First token</th>
              <th scope="col" class="number">Duration</th>
              <th scope="col">Session</th>
              <th scope="col">Domain</th>
            </tr>
          </thead>
          <tbody>
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

function row(request: RequestSummary): TemplateResult {
  return html`<tr>
    <th scope="row"><a href=${requestHref(request.id)}>${formatTime(request.startedAt)}</a></th>
    <td><nexus-status-badge .outcome=${request.outcome} .status=${request.status}></nexus-status-badge></td>
    <td>${request.kind}</td>
    <td class="mono">${request.model ?? UNKNOWN}</td>
    ${count(request.inputTokens)} ${count(request.cacheReadTokens)} ${count(request.outputTokens)}
    <td class="number">${formatMoney(request.costUsd)}</td>
    <td class="number">${formatDuration(request.firstTokenMs)}</td>
    <td class="number">${formatDuration(request.durationMs)}</td>
    <td class="mono" title=${request.sessionId ?? ''}>${shortId(request.sessionId)}</td>
    <td>${request.domain}</td>
  </tr>`;
}

function count(value: number | null): TemplateResult {
  return html`<td class="number" title=${formatCount(value)}>${formatCompact(value)}</td>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-request-table': RequestTable;
  }
}
