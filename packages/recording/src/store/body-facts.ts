import type { BodyMember } from './body-scanner.ts';

/** What a request body says about itself, read the way JSON.parse would: of a repeated key the last one counts. */
export interface BodyFacts {
  model: string | undefined;
  stream: boolean | undefined;
  maxTokens: number | undefined;
  /** `metadata.user_id` as sent. */
  userId: string | undefined;
  /** Messages of a body in tree form; 0 for one stored whole. */
  messageCount: number;
  toolCount: number;
  /** The answer is asked for in the form of a JSON schema. */
  hasJsonSchema: boolean;
  /** Text of `system[0]` if it is the client's attribution block. */
  attribution: string | undefined;
  /** Start of the system prompt, without attribution and, if more follows, the line that says who the client is. */
  systemText: string | undefined;
  /** Start of the first text of the first user message that holds one; reminders only if there is nothing else. */
  firstText: string | undefined;
  /** Start of the last text of the last user message that holds one; reminders only if there is nothing else. */
  lastUserText: string | undefined;
}

/** Facts of one part of the body. A member that is present but unusable is there as undefined. */
export interface SectionFacts {
  model?: string | undefined;
  stream?: boolean | undefined;
  maxTokens?: number | undefined;
  userId?: string | undefined;
  toolCount?: number;
  configHasSchema?: boolean;
  formatHasSchema?: boolean;
  attribution?: string | undefined;
  systemText?: string | undefined;
}

/** First and last text of one user message, shortened. */
export interface UserTexts {
  first: string;
  last: string;
}

/** Members larger than this are not read: what is wanted of them is short. */
const MEMBER_BYTES = 256 * 1024;
/** How much of a text is kept. */
const TEXT_CHARACTERS = 2048;
const REMINDER = '<system-reminder>';
const ATTRIBUTION_PREFIX = 'x-anthropic-billing-header:';

/** Facts held by the noted top-level members of a part. */
export function readSectionFacts(body: Buffer, members: readonly BodyMember[]): SectionFacts {
  const facts: SectionFacts = {};
  for (const member of members) readMember(body, member, facts);
  return facts;
}

function readMember(body: Buffer, member: BodyMember, facts: SectionFacts): void {
  switch (member.key) {
    case 'model':
      facts.model = asString(parse(body, member));
      break;
    case 'stream':
      facts.stream = asBoolean(parse(body, member));
      break;
    case 'max_tokens':
      facts.maxTokens = asNumber(parse(body, member));
      break;
    case 'metadata':
      facts.userId = asString(property(parse(body, member), 'user_id'));
      break;
    case 'output_config':
      facts.configHasSchema = isJsonSchema(property(parse(body, member), 'format'));
      break;
    case 'output_format':
      facts.formatHasSchema = isJsonSchema(parse(body, member));
      break;
    case 'tools':
      facts.toolCount = member.unitCount;
      break;
    case 'system':
      readSystem(body, member, facts);
      break;
    default:
      break;
  }
}

/** Facts of the whole body from those of its parts, in their order. */
export function mergeFacts(
  sections: readonly SectionFacts[],
  messages: Pick<BodyFacts, 'messageCount' | 'firstText' | 'lastUserText'>,
): BodyFacts {
  const all: SectionFacts = Object.assign({}, ...sections) as SectionFacts;
  return {
    model: all.model,
    stream: all.stream,
    maxTokens: all.maxTokens,
    userId: all.userId,
    messageCount: messages.messageCount,
    toolCount: all.toolCount ?? 0,
    hasJsonSchema: all.configHasSchema === true || all.formatHasSchema === true,
    attribution: all.attribution,
    systemText: all.systemText,
    firstText: messages.firstText,
    lastUserText: messages.lastUserText,
  };
}

/** Texts of a parsed message; undefined when it is not a user's or holds none. */
export function readUserTexts(message: unknown): UserTexts | undefined {
  if (property(message, 'role') !== 'user') return undefined;
  const content = property(message, 'content');
  if (typeof content === 'string') return { first: shorten(content), last: shorten(content) };
  if (!Array.isArray(content)) return undefined;
  const all = content.map(blockText).filter((text) => text !== undefined);
  const said = all.filter((text) => !text.trimStart().startsWith(REMINDER));
  const texts = said.length > 0 ? said : all;
  const [first] = texts;
  const last = texts.at(-1);
  return first === undefined || last === undefined
    ? undefined
    : { first: shorten(first), last: shorten(last) };
}

function blockText(block: unknown): string | undefined {
  return property(block, 'type') === 'text' ? asString(property(block, 'text')) : undefined;
}

/** A copy, because a mere slice would keep the whole text it was taken from. */
function shorten(text: string): string {
  if (text.length <= TEXT_CHARACTERS) return text;
  return Buffer.from(text.slice(0, TEXT_CHARACTERS), 'utf16le').toString('utf16le');
}

function readSystem(body: Buffer, member: BodyMember, facts: SectionFacts): void {
  const texts = systemTexts(body, member);
  const isAttributed = texts[0]?.startsWith(ATTRIBUTION_PREFIX) === true;
  const [first, second] = isAttributed ? texts.slice(1) : texts;
  const systemText = second ?? first;
  facts.attribution = isAttributed ? texts[0] : undefined;
  facts.systemText = systemText === undefined ? undefined : shorten(systemText);
}

/** The prompt if it is a string, else the texts of its first blocks. */
function systemTexts(body: Buffer, member: BodyMember): string[] {
  const isArray = body[member.start] === 0x5b;
  if (!isArray) return [asString(parse(body, member))].filter((text) => text !== undefined);
  const texts: string[] = [];
  for (let i = 0; i + 1 < member.unitBounds.length; i += 2) {
    const block = { start: member.unitBounds[i] as number, end: member.unitBounds[i + 1] as number };
    const text = asString(property(parse(body, block), 'text'));
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

function isJsonSchema(format: unknown): boolean {
  return property(format, 'type') === 'json_schema';
}

function parse(body: Buffer, { start, end }: { start: number; end: number }): unknown {
  if (end - start > MEMBER_BYTES) return undefined;
  try {
    return JSON.parse(body.toString('utf8', start, end));
  } catch {
    return undefined;
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
