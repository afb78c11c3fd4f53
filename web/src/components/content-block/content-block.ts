import type { ContentBlock as Block, NestedBlock } from '@claude-nexus/api-contract';
import { LitElement, html } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { formatBytes, formatCount } from '../../common/format.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { contentBlockStyles } from './content-block.styles.ts';

/** Longer texts start folded: a page with a hundred of them stays readable and quick. */
const FOLD_LENGTH = 4000;

/**
 * One content block of a message. Everything in it comes from outside and is rendered as text, never as markup.
 *
 * @summary Content block.
 */
@customElement('nexus-content-block')
export class ContentBlockElement extends LitElement {
  static override styles = [sharedStyles, contentBlockStyles];

  @property({ attribute: false }) block: Block | undefined;
  /** Address of the complete body, offered where the text is cut. */
  @property({ attribute: 'body-url' }) bodyUrl: string | null = null;

  override render(): TemplateResult {
    const { block } = this;
    if (block === undefined) return html``;
    return html`${this._block(block)} ${block.blocks.map((nested) => this._block(nested))}`;
  }

  private _block(block: Block | NestedBlock): TemplateResult {
    const label = labelOf(block);
    const body = this._body(block);
    return html`<section class=${block.type === 'text' ? 'plain' : 'special'} ?data-error=${block.isError}>
      ${label === '' ? '' : html`<p class="label">${label}</p>`} ${body}
    </section>`;
  }

  private _body(block: Block | NestedBlock): TemplateResult {
    if (block.text === null) return html``;
    const text = html`<pre class=${block.textFormat === 'json' ? 'mono' : 'prose'}>${block.text}</pre>
      ${block.truncated ? this._truncated(block) : ''}`;
    if (block.text.length < FOLD_LENGTH) return text;
    return html`<details>
      <summary>${formatCount(block.length ?? block.text.length)} characters</summary>
      ${text}
    </details>`;
  }

  private _truncated(block: Block | NestedBlock): TemplateResult {
    const rest =
      block.length === null ? 'Shortened' : `Shortened from ${formatCount(block.length)} characters`;
    if (this.bodyUrl === null) return html`<p class="muted">${rest}.</p>`;
    return html`<p class="muted">${rest}; <a href=${this.bodyUrl} download>download all of it</a>.</p>`;
  }
}

function labelOf(block: Block | NestedBlock): string {
  const parts: string[] = [];
  if (block.type !== 'text') parts.push(block.type.replaceAll('_', ' '));
  if (block.toolName !== null) parts.push(block.toolName);
  if (block.isError) parts.push('error');
  if (block.mediaType !== null) parts.push(block.mediaType);
  if (block.byteLength !== null) parts.push(formatBytes(block.byteLength));
  if (block.cacheControl) parts.push('cache breakpoint');
  return parts.join(' · ');
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-content-block': ContentBlockElement;
  }
}
