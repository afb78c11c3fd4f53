import type { NestedBlock } from '@claude-nexus/api-contract';
import { formatBytes } from '../../common/format.ts';

const NAMES: Readonly<Record<string, string>> = {
  tool_use: 'Tool call',
  server_tool_use: 'Server tool call',
  mcp_tool_use: 'MCP tool call',
  tool_result: 'Tool result',
};

/** What Claude Code adds to a turn by itself stands in a text block of this form. */
const REMINDER = /^\s*<system-reminder>/;

/** Whether a block is text that the client added to what the person wrote. */
export function isReminder(block: NestedBlock): boolean {
  return block.type === 'text' && block.text !== null && REMINDER.test(block.text);
}

/** Heading of a block: what it is, of which tool, and what is special about it. Empty for ordinary text. */
export function labelOf(block: NestedBlock, toolName: string | null): string {
  const parts: string[] = [];
  if (isReminder(block)) parts.push('System reminder');
  else if (block.type !== 'text') parts.push(NAMES[block.type] ?? readable(block.type));
  if (toolName !== null) parts.push(toolName);
  if (block.isError) parts.push('error');
  if (block.mediaType !== null) parts.push(block.mediaType);
  if (block.byteLength !== null) parts.push(formatBytes(block.byteLength));
  if (block.cacheControl) parts.push('cache breakpoint');
  return parts.join(' · ');
}

function readable(type: string): string {
  const words = type.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
