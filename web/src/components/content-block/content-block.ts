import type { ContentBlock as Block, NestedBlock } from '@claude-nexus/api-contract';
import { LitElement, html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { formatCount } from '../../common/format.ts';
import { previewOf } from '../../common/preview.ts';
import type { PreviewSize } from '../../common/preview.ts';
import { visibleText } from '../../common/visible-text.ts';
import { sharedStyles } from '../../styles/shared.styles.ts';
import { isReminder, labelOf } from './block-label.ts';
import { contentBlockStyles } from './content-block.styles.ts';

/** Longer texts start shortened: a page with a hundred of them stays readable and quick. */
const PROSE: PreviewSize = { characters: 4000, lines: 60 };
const TOOL: PreviewSize = { characters: 1200, lines: 12 };
const REMINDER: PreviewSize = { characters: 160, lines: 2 };

/**
 * One content block of a message. Everything in it comes from outside and is rendered as text, never as markup.
 *
 * @summary Content block.
 */
@customElement('nexus-content-block')
export class ContentBlockElement extends LitElement {
  static override styles = [sharedStyles, contentBlockStyles];

  @property({ attribute: false }) block: Block | NestedBlock | undefined;
  /** Address of the complete body, offered where the text is cut. */
  @property({ attribute: 'body-url' }) bodyUrl: string | null = null;
  /** Tool whose call or result this is. */
  @property({ attribute: 'tool-name' }) toolName: string | null = null;
  /** Inside a tool result, where text is output rather than prose. */
  @property({ type: Boolean }) output = false;

  @state() private _whole = false;

  override render(): TemplateResult {
    const { block } = this;
    if (block === undefined) return html``;
    const label = labelOf(block, this.toolName ?? block.toolName);
    const plain = block.type === 'text' && !isReminder(block);
    return html`<section class=${plain ? 'plain' : 'special'} ?data-error=${block.isError}>
      ${label === '' ? nothing : html`<p class="label">${visibleText(label)}</p>`}
      ${block.text === null ? nothing : this._text(block, block.text)}
      ${'blocks' in block ? block.blocks.map((nested) => this._nested(nested)) : nothing}
    </section>`;
  }

  private _nested(block: NestedBlock): TemplateResult {
    return html`<nexus-content-block .block=${block} .bodyUrl=${this.bodyUrl} output></nexus-content-block>`;
  }

  private _text(block: Block | NestedBlock, text: string): TemplateResult {
    if (text === '') return html`<p class="muted">No text.</p>`;
    const prose = block.textFormat === 'text' && !this._isOutput(block);
    const preview = previewOf(text, this._previewSize(block, prose));
    const shown = preview === undefined || this._whole ? text : preview;
    return html`<pre class=${prose ? 'prose' : 'mono'}>${visibleText(shown)}</pre>
      ${preview === undefined ? nothing : this._toggle(block, text)}
      ${block.truncated && shown === text ? this._truncated(block) : nothing}`;
  }

  private _toggle(block: Block | NestedBlock, text: string): TemplateResult {
    const length = formatCount(block.length ?? text.length);
    return html`<button type="button" class="more" aria-expanded=${this._whole} @click=${this._onToggle}>
      ${this._whole ? 'Show less' : `Show more of ${length} characters`}
    </button>`;
  }

  private _onToggle(): void {
    this._whole = !this._whole;
  }

  private _isOutput(block: Block | NestedBlock): boolean {
    return this.output || block.type.endsWith('tool_result');
  }

  private _previewSize(block: Block | NestedBlock, prose: boolean): PreviewSize {
    if (isReminder(block)) return REMINDER;
    return prose ? PROSE : TOOL;
  }

  private _truncated(block: Block | NestedBlock): TemplateResult {
    const rest =
      block.length === null
        ? 'Only the beginning is shown'
        : `Only the beginning of ${formatCount(block.length)} characters is shown`;
    if (this.bodyUrl === null) return html`<p class="muted">${rest}.</p>`;
    return html`<p class="muted">${rest}; <a href=${this.bodyUrl} download>download the whole body</a>.</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'nexus-content-block': ContentBlockElement;
  }
}
