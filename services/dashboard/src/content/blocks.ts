import type { ContentBlock, NestedBlock } from '@claude-nexus/api-contract';
import { CONTENT_LIMITS } from './budget.ts';
import type { ContentBudget } from './budget.ts';
import { isObject, member, nameMember } from './json-values.ts';
import type { JsonObject } from './json-values.ts';
import { printJson } from './print-json.ts';

export interface Blocks {
  readonly blocks: ContentBlock[];
  readonly omitted: number;
}

/** Member that holds what there is to read, by block type; other types are shown as JSON. */
const TEXT_MEMBERS: Readonly<Record<string, string>> = { text: 'text', thinking: 'thinking' };
const CALL_TYPES: ReadonlySet<string> = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use']);
const RESULT_TYPE = /tool_result$/;
const MEDIA_TYPES: ReadonlySet<string> = new Set(['image', 'document']);

/** The content of a message, a system prompt or a tool result: a string is one text block. */
export function toBlocks(content: unknown, budget: ContentBudget): Blocks {
  if (content === undefined || content === null) return { blocks: [], omitted: 0 };
  const list: readonly unknown[] = Array.isArray(content) ? content : [content];
  const blocks: ContentBlock[] = [];
  for (const entry of list) {
    const full = blocks.length === CONTENT_LIMITS.blocksPerMessage;
    if (full ? !budget.leaveOut() : !budget.takeBlock()) break;
    blocks.push(toBlock(entry, budget));
  }
  return { blocks, omitted: list.length - blocks.length };
}

function toBlock(entry: unknown, budget: ContentBudget): ContentBlock {
  if (!isObject(entry)) return { ...textOrJson('text', entry, budget), blocks: [] };
  const type = nameMember(entry, 'type') ?? 'unknown';
  const content = member(entry, 'content');
  if (!RESULT_TYPE.test(type)) return { ...flatBlock(type, entry, budget), blocks: [] };
  if (!Array.isArray(content)) return { ...textOrJson(type, content, budget), ...facts(entry), blocks: [] };
  const blocks: NestedBlock[] = [];
  for (const nested of content) {
    if (!budget.takeBlock()) break;
    const nestedType = isObject(nested) ? (nameMember(nested, 'type') ?? 'unknown') : 'text';
    blocks.push(
      isObject(nested) ? flatBlock(nestedType, nested, budget) : textOrJson('text', nested, budget),
    );
  }
  const whole = blocks.length === content.length;
  return { ...emptyBlock(type), ...facts(entry), truncated: !whole, blocks };
}

function flatBlock(type: string, entry: JsonObject, budget: ContentBudget): NestedBlock {
  const text = member(entry, TEXT_MEMBERS[type] ?? '');
  if (typeof text === 'string') return { ...textOrJson(type, text, budget), ...facts(entry) };
  if (CALL_TYPES.has(type)) return { ...jsonBlock(type, member(entry, 'input'), budget), ...facts(entry) };
  const source = member(entry, 'source');
  if (MEDIA_TYPES.has(type) && isObject(source))
    return { ...mediaBlock(type, source, budget), ...facts(entry) };
  return { ...jsonBlock(type, entry, budget), ...facts(entry) };
}

function textOrJson(type: string, value: unknown, budget: ContentBudget): NestedBlock {
  if (typeof value !== 'string') return jsonBlock(type, value, budget);
  return { ...emptyBlock(type), ...budget.takeText(value), length: value.length };
}

function jsonBlock(type: string, value: unknown, budget: ContentBudget): NestedBlock {
  const printed = printJson(value, budget.room);
  const { text } = budget.takeText(printed.text);
  if (printed.truncated) budget.leaveOut();
  const length = printed.truncated ? null : text.length;
  return { ...emptyBlock(type), text, textFormat: 'json', truncated: printed.truncated, length };
}

function mediaBlock(type: string, source: JsonObject, budget: ContentBudget): NestedBlock {
  const data = member(source, 'data');
  const mediaType = nameMember(source, 'media_type');
  if (typeof data !== 'string') return { ...jsonBlock(type, source, budget), mediaType };
  if (nameMember(source, 'type') === 'text') return { ...textOrJson(type, data, budget), mediaType };
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  const byteLength = Math.max(0, Math.floor((data.length * 3) / 4) - padding);
  return { ...emptyBlock(type), mediaType, byteLength };
}

function emptyBlock(type: string): NestedBlock {
  return {
    type,
    text: null,
    textFormat: 'text',
    length: 0,
    truncated: false,
    toolName: null,
    toolUseId: null,
    isError: false,
    mediaType: null,
    byteLength: null,
    cacheControl: false,
  };
}

function facts(entry: JsonObject): Pick<NestedBlock, 'toolName' | 'toolUseId' | 'isError' | 'cacheControl'> {
  const call = CALL_TYPES.has(nameMember(entry, 'type') ?? '');
  return {
    toolName: call ? nameMember(entry, 'name') : null,
    toolUseId: nameMember(entry, call ? 'id' : 'tool_use_id'),
    isError: member(entry, 'is_error') === true,
    cacheControl: isObject(member(entry, 'cache_control')),
  };
}
