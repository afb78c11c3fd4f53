import type { ContentBlock } from '@claude-nexus/api-contract';
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { formatCount } from '../../common/format.ts';
import { visibleText } from '../../common/visible-text.ts';
import '../content-block/content-block.ts';

/** What a message card shows. */
interface CardContent {
  role: string;
  blocks: readonly ContentBlock[];
  blocksOmitted: number;
}

/** What stands around the content of a message. */
export interface CardContext {
  /** Small print beside the role. */
  note: string;
  bodyUrl: string | null;
  /** Names of tools by the id of their call. */
  toolNames: ReadonlyMap<string, string>;
}

/** A message as an article, its blocks in order. */
export function messageCard(message: CardContent, context: CardContext): TemplateResult {
  return html`<article data-role=${message.role}>
    <h3><span>${visibleText(roleName(message.role))}</span> <span class="muted">${context.note}</span></h3>
    ${message.blocks.length === 0 ? html`<p class="muted">Empty.</p>` : contentBlocks(message.blocks, context)}
    ${
      message.blocksOmitted === 0
        ? nothing
        : html`<p class="muted">${formatCount(message.blocksOmitted)} more blocks are not shown.</p>`
    }
  </article>`;
}

/** Blocks in order. */
export function contentBlocks(
  blocks: readonly ContentBlock[],
  { bodyUrl, toolNames }: Omit<CardContext, 'note'>,
): TemplateResult {
  return html`${blocks.map((block) => {
    const toolName = block.toolName ?? toolNames.get(block.toolUseId ?? '') ?? null;
    return html`<nexus-content-block
      .block=${block}
      .bodyUrl=${bodyUrl}
      .toolName=${toolName}
    ></nexus-content-block>`;
  })}`;
}

/** Names of tools by the id of their call, so that a result can be told by its tool. */
export function toolNamesOf(messages: readonly CardContent[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const block of messages.flatMap((message) => message.blocks)) {
    if (block.toolUseId !== null && block.toolName !== null) names.set(block.toolUseId, block.toolName);
  }
  return names;
}

function roleName(role: string): string {
  return role.charAt(0).toUpperCase() + role.slice(1);
}
