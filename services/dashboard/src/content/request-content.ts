import type { Message, Parameter, RequestContent } from '@claude-nexus/api-contract';
import { toBlocks } from './blocks.ts';
import { CONTENT_LIMITS, shorten } from './budget.ts';
import type { ContentBudget } from './budget.ts';
import { isObject, member, nameMember } from './json-values.ts';
import type { JsonObject } from './json-values.ts';
import type { ParsedBody } from './parse-body.ts';
import { printJson } from './print-json.ts';

/** Members shown in a place of their own. */
const SHOWN: ReadonlySet<string> = new Set(['model', 'max_tokens', 'system', 'tools', 'messages']);

/** A request body for reading. `bodyUrl` is where its exact bytes are; both undefined when nothing is stored. */
export function toRequestContent(
  body: { readonly parsed: ParsedBody; readonly url: string } | undefined,
  budget: ContentBudget,
): RequestContent {
  if (body === undefined) return emptyContent(null);
  const { parsed, url } = body;
  if ('problem' in parsed) return { ...emptyContent(url), parseError: parsed.problem };
  return { ...readContent(parsed.object, budget), bodyUrl: url, parseError: null };
}

function readContent(
  body: JsonObject,
  budget: ContentBudget,
): Omit<RequestContent, 'bodyUrl' | 'parseError'> {
  const maxTokens = member(body, 'max_tokens');
  // The newest messages come first into the budget: they are what a reader opens the page for.
  const { messages, omitted } = toMessages(member(body, 'messages'), budget);
  const system = toBlocks(member(body, 'system'), budget).blocks;
  const tools = toolNames(member(body, 'tools'), budget);
  const parameters = toParameters(body, budget);
  return {
    model: nameMember(body, 'model'),
    maxTokens: Number.isSafeInteger(maxTokens) ? (maxTokens as number) : null,
    parameters,
    system,
    tools,
    messages,
    messagesOmitted: omitted,
    truncated: budget.cut,
  };
}

function toMessages(value: unknown, budget: ContentBudget): { messages: Message[]; omitted: number } {
  if (!Array.isArray(value)) return { messages: [], omitted: 0 };
  const messages: Message[] = [];
  const first = Math.max(0, value.length - CONTENT_LIMITS.messages);
  for (let index = value.length - 1; index >= first; index -= 1)
    messages.push(toMessage(value, index, budget));
  if (first > 0) budget.leaveOut();
  return { messages: messages.toReversed(), omitted: first };
}

function toMessage(list: readonly unknown[], index: number, budget: ContentBudget): Message {
  const entry = list[index];
  const role = isObject(entry) ? nameMember(entry, 'role') : null;
  const content = isObject(entry) && role !== null ? member(entry, 'content') : [entry];
  const { blocks, omitted } = toBlocks(content, budget);
  return { index, role: role ?? 'unknown', blocks, blocksOmitted: omitted };
}

function toolNames(value: unknown, budget: ContentBudget): string[] {
  if (!Array.isArray(value)) return [];
  if (value.length > CONTENT_LIMITS.tools) budget.leaveOut();
  return value
    .slice(0, CONTENT_LIMITS.tools)
    .map((tool: unknown) => (isObject(tool) ? (nameMember(tool, 'name') ?? nameMember(tool, 'type')) : null))
    .map((name) => name ?? 'unknown');
}

function toParameters(body: JsonObject, budget: ContentBudget): Parameter[] {
  const names = Object.keys(body).filter((name) => !SHOWN.has(name));
  if (names.length > CONTENT_LIMITS.parameters) budget.leaveOut();
  return names.slice(0, CONTENT_LIMITS.parameters).map((name) => {
    const { text, truncated } = printJson(body[name], CONTENT_LIMITS.parameterText);
    if (truncated) budget.leaveOut();
    return { name: shorten(name, CONTENT_LIMITS.name).text, json: text };
  });
}

function emptyContent(bodyUrl: string | null): RequestContent {
  return {
    parseError: null,
    bodyUrl,
    truncated: false,
    model: null,
    maxTokens: null,
    parameters: [],
    system: [],
    tools: [],
    messages: [],
    messagesOmitted: 0,
  };
}
