import type { HeaderPair, RequestDetail } from '@claude-nexus/api-contract';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { formatBytes, formatCount } from '../../common/format.ts';
import { visibleText } from '../../common/visible-text.ts';
import { contentBlocks, messageCard, toolNamesOf } from '../../components/message-list/message-card.ts';
import '../../components/message-list/message-list.ts';
import { facts } from './request-figures.ts';

type Pair = readonly [name: string, value: string | null];

/** What was asked: messages in sight, the rest folded. */
export function requestSection({ request, storage }: RequestDetail): TemplateResult {
  const { bodyUrl, system, tools, parameters, messages, messagesOmitted } = request;
  const context = { bodyUrl, toolNames: new Map<string, string>() };
  const nothingStored = bodyUrl === null && request.parseError === null;
  return html`<section aria-labelledby="request-title">
    ${heading('request-title', 'Request', { bodyUrl, length: storage.requestLength })}
    ${problem(request.parseError)}
    ${nothingStored ? html`<p class="muted">The body of this request is not stored.</p>` : nothing}
    ${system.length === 0 ? nothing : folded(`System prompt (${system.length})`, html`<div class="blocks">${contentBlocks(system, context)}</div>`)}
    ${tools.length === 0 ? nothing : folded(`Tools (${tools.length})`, html`<p class="mono">${visibleText(tools.join(', '))}</p>`)}
    ${
      parameters.length === 0
        ? nothing
        : folded(
            `Parameters (${parameters.length})`,
            pairs(
              'Parameters',
              parameters.map(({ name, json }) => [name, json] as const),
            ),
          )
    }
    ${messagesOmitted === 0 ? nothing : html`<p class="muted">${formatCount(messagesOmitted)} messages before these are only in the body.</p>`}
    <nexus-message-list .messages=${messages} .bodyUrl=${bodyUrl}></nexus-message-list>
  </section>`;
}

/** What was answered, as far as it got. */
export function responseSection(detail: RequestDetail): TemplateResult {
  const { message, error, complete, bodyUrl, parseError } = detail.response;
  const none = message === null && error === null && parseError === null;
  const waiting = detail.outcome === 'pending' ? 'The answer has not ended yet.' : 'No answer is stored.';
  return html`<section aria-labelledby="response-title" tabindex="-1" id="response">
    ${heading('response-title', 'Response', { bodyUrl, length: detail.storage.responseLength })}
    ${problem(parseError)}
    ${error === null ? nothing : html`<p class="problem"><strong>${visibleText(error.type)}</strong> ${visibleText(error.message)}</p>`}
    ${message === null ? nothing : messageCard(message, { note: message.stopReason ?? '', bodyUrl, toolNames: toolNamesOf([message]) })}
    ${message === null || complete ? nothing : html`<p class="warning">The stream ended here, before its end.</p>`}
    ${message?.usageJson ? folded('Usage as reported', html`<pre class="mono">${visibleText(message.usageJson)}</pre>`) : nothing}
    ${none ? html`<p class="muted">${waiting}</p>` : nothing}
  </section>`;
}

/** Facts and headers. */
export function detailsSection(detail: RequestDetail): TemplateResult {
  return html`<section aria-labelledby="facts-title">
    <h2 id="facts-title">Details</h2>
    <dl>
      ${facts(detail).map(
        ({ name, value, href }) =>
          html`<div>
            <dt>${name}</dt>
            <dd>
              ${href === undefined ? visibleText(value) : html`<a href=${href}>${visibleText(value)}</a>`}
            </dd>
          </div>`,
      )}
    </dl>
    ${headers('Request headers', detail.requestHeaders)}
    ${headers('Response headers', detail.responseHeaders)}
  </section>`;
}

function heading(
  id: string,
  title: string,
  body: { bodyUrl: string | null; length: number },
): TemplateResult {
  return html`<div class="heading">
    <h2 id=${id}>${title}</h2>
    ${
      body.bodyUrl === null
        ? nothing
        : html`<span class="muted">
            <a href=${body.bodyUrl} download>Download the body</a>, ${formatBytes(body.length)} on the wire
          </span>`
    }
  </div>`;
}

function problem(text: string | null): TemplateResult | typeof nothing {
  return text === null ? nothing : html`<p class="problem">${visibleText(text)}</p>`;
}

function folded(title: string, content: TemplateResult): TemplateResult {
  return html`<details>
    <summary>${title}</summary>
    ${content}
  </details>`;
}

function headers(title: string, list: readonly HeaderPair[]): TemplateResult | typeof nothing {
  return list.length === 0 ? nothing : folded(`${title} (${list.length})`, pairs(title, list));
}

function pairs(title: string, list: readonly Pair[]): TemplateResult {
  return html`<dl class="pairs mono" aria-label=${title}>
    ${list.map(
      ([name, value]) =>
        html`<div>
          <dt>${visibleText(name)}</dt>
          <dd>${value === null ? html`<span class="muted">value not stored</span>` : visibleText(value)}</dd>
        </div>`,
    )}
  </dl>`;
}
