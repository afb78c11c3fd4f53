import type { DeltaFrame } from './delta-run.ts';
import { parseJson } from './json-value.ts';
import type { JsonObject } from './json-value.ts';
import { endOfLiteral, escapeLoneSurrogates, readRawObject, skipSpace } from './raw-json.ts';
import type { RawMember, RawObject } from './raw-json.ts';
import { TextBuilder } from './text-builder.ts';

/** One `content_block_delta` event, parsed and located in its text. */
export interface BlockDelta {
  /** The event's data. */
  text: string;
  /** The event as an object. */
  event: RawObject;
  /** The event's `delta`, parsed. */
  delta: JsonObject;
  /** The event's `delta`, located. */
  raw: RawObject;
}

export interface FinishedBlock {
  /** The block as JSON text. */
  json: string;
  /** False: a delta was not valid JSON. */
  valid: boolean;
  /** Streamed tool input that is not complete JSON; `json` keeps the input of the start event. */
  partialInput?: string;
}

/** Delta kinds whose values add up to one string, and the member of the block that they continue. */
const STRING_DELTAS: Readonly<Record<string, { value: string; target: string }>> = {
  text_delta: { value: 'text', target: 'text' },
  thinking_delta: { value: 'thinking', target: 'thinking' },
  input_json_delta: { value: 'partial_json', target: 'input' },
};

const CLOSE_BRACE = 0x7d;

/** One content block of a streamed answer: its start event with all deltas folded in, as JSON text. */
export class ContentBlock {
  readonly type: string;
  /** The block will get no more deltas. */
  stopped = false;
  /** Sum of the `estimated_tokens` hints of the block's thinking deltas. */
  estimatedTokens = 0;
  readonly #members: Map<string, { key: string; value: string }>;
  readonly #continued = new Map<string, TextBuilder>();
  readonly #citations: string[] = [];
  readonly #assigned = new Set<string>();
  /** The way the previous delta was written, where another one written so only continues its text. */
  #frame: DeltaFrame | undefined;
  #target: TextBuilder | undefined;

  /** `raw` locates the `content_block` object in `text`; `type` is its type. */
  constructor(type: string, text: string, raw: RawObject) {
    this.type = type;
    this.#members = copyMembers(text, raw);
  }

  get isToolCall(): boolean {
    return this.type === 'tool_use' || this.type.endsWith('_tool_use');
  }

  /**
   * Appends a delta that differs from the previous one in its text only, without parsing it; `finish` checks the
   * joined text. False: not such a delta, take the long way.
   */
  appendLike(data: string): boolean {
    const frame = this.#frame;
    if (frame === undefined || !data.startsWith(frame.prefix)) return false;
    const start = frame.prefix.length;
    const quote = endOfLiteral(data, start);
    if (quote === -1 || !data.startsWith(frame.suffix, quote)) return false;
    if (!closesEvent(data, quote + frame.suffix.length)) return false;
    this.#target?.append(data.slice(start, quote));
    return true;
  }

  /** How a run of deltas that continue the previous one is written; undefined where none can be told. */
  get frame(): DeltaFrame | undefined {
    return this.#frame;
  }

  /** Appends what a run of such deltas amounts to, as it is spelled; `finish` checks it. */
  appendLiteral(literal: string): void {
    this.#target?.append(literal);
  }

  /**
   * Folds a delta in as far as it is understood. False: something of it found no place (an unknown kind or member,
   * a kind that does not fit the block), so the event itself must be kept.
   */
  append(delta: BlockDelta): boolean {
    const kind = typeof delta.delta['type'] === 'string' ? delta.delta['type'] : '';
    const stringDelta = Object.hasOwn(STRING_DELTAS, kind) ? STRING_DELTAS[kind] : undefined;
    if (stringDelta !== undefined) return this.#appendString(delta, stringDelta);
    switch (kind) {
      case 'signature_delta':
        return this.#assign(delta, ['signature']);
      case 'citations_delta':
        return this.#appendCitation(delta);
      case 'compaction_delta':
        return this.#assign(delta, ['content', 'encrypted_content']);
      default:
        return false;
    }
  }

  /** The complete block, or as much as there is of it. */
  finish(): FinishedBlock {
    const finished: FinishedBlock = { json: '', valid: true };
    const rendered: string[] = [];
    for (const [name, { key, value }] of this.#members) {
      rendered.push(`${key}:${this.#finishMember(name, value, finished)}`);
    }
    finished.json = `{${rendered.join(',')}}`;
    return finished;
  }

  #finishMember(name: string, value: string, finished: FinishedBlock): string {
    if (name === 'citations' && this.#citations.length > 0) return appendToArray(value, this.#citations);
    const continued = this.#continued.get(name)?.toString();
    if (continued === undefined) return value;
    const text = parseJson(`"${continued}"`)?.value;
    if (typeof text !== 'string') {
      // Frames that only looked like JSON: whatever this shows, the raw bytes are what counts.
      finished.valid = false;
      return name === 'input' ? value : JSON.stringify(continued);
    }
    if (name !== 'input') return `${value.slice(0, -1)}${continued}"`;
    if (parseJson(text) !== undefined) return escapeLoneSurrogates(text);
    if (text !== '') finished.partialInput = text;
    return value;
  }

  #appendString(delta: BlockDelta, { value, target }: { value: string; target: string }): boolean {
    const member = delta.raw.members.get(value);
    if (typeof delta.delta[value] !== 'string' || member === undefined || !this.#accepts(target))
      return false;
    const builder = this.#continued.get(target) ?? new TextBuilder();
    this.#continued.set(target, builder);
    builder.append(delta.text.slice(member.start + 1, member.end - 1));
    const understood = this.#understands(delta, value);
    this.#learnFrame(delta, member, understood ? builder : undefined);
    return understood;
  }

  /** Only a string can be continued; a tool's input is streamed beside its (empty) object. */
  #accepts(target: string): boolean {
    const current = this.#members.get(target)?.value;
    return current !== undefined && (target === 'input' || current.startsWith('"'));
  }

  /** True when the delta holds nothing but its text and, for thinking, the hint that is summed up. */
  #understands(delta: BlockDelta, value: string): boolean {
    const { estimated_tokens: estimate } = delta.delta;
    const withEstimate = value === 'thinking' && delta.raw.members.has('estimated_tokens');
    if (delta.raw.members.size !== (withEstimate ? 3 : 2)) return false;
    if (!withEstimate || estimate === null) return true;
    if (typeof estimate !== 'number') return false;
    this.estimatedTokens += estimate;
    return true;
  }

  #learnFrame(delta: BlockDelta, member: RawMember, builder: TextBuilder | undefined): void {
    const textIsLast = closesEvent(delta.text, delta.raw.end) && delta.event.members.size === 3;
    const counted = typeof delta.delta['estimated_tokens'] === 'number';
    const prefix = delta.text.slice(0, member.start + 1);
    const suffix = delta.text.slice(member.end - 1, delta.raw.end);
    this.#target = builder;
    // Data of several lines is joined by line feeds: as one line the same text would mean something else.
    const isLine = !prefix.includes('\n') && !suffix.includes('\n');
    this.#frame = builder !== undefined && textIsLast && !counted && isLine ? { prefix, suffix } : undefined;
  }

  #appendCitation(delta: BlockDelta): boolean {
    const citation = delta.raw.members.get('citation');
    if (citation === undefined || this.type !== 'text') return false;
    this.#citations.push(delta.text.slice(citation.start, citation.end));
    if (!this.#members.has('citations')) this.#members.set('citations', { key: '"citations"', value: '[]' });
    return delta.raw.members.size === 2;
  }

  /** Delta kinds that carry a final value, which the official client assigns. A second value hides the first. */
  #assign(delta: BlockDelta, names: readonly string[]): boolean {
    const fits = names.includes('signature') ? this.#accepts('thinking') : this.type === 'compaction';
    if (!fits) return false;
    let understood = true;
    for (const [name, member] of delta.raw.members) {
      if (name === 'type') continue;
      if (!names.includes(name) || this.#assigned.has(name)) understood = false;
      if (!names.includes(name)) continue;
      this.#assigned.add(name);
      const key = this.#members.get(name)?.key ?? member.key;
      this.#members.set(name, { key, value: delta.text.slice(member.start, member.end) });
    }
    return understood;
  }
}

/** The members of an object as raw text, by decoded key. */
export function copyMembers(text: string, raw: RawObject): Map<string, { key: string; value: string }> {
  const copies = new Map<string, { key: string; value: string }>();
  for (const [name, member] of raw.members) {
    copies.set(name, { key: member.key, value: text.slice(member.start, member.end) });
  }
  return copies;
}

/** True when nothing but the closing brace of the event follows (the API pads events with spaces). */
function closesEvent(text: string, from: number): boolean {
  const brace = skipSpace(text, from);
  return text.charCodeAt(brace) === CLOSE_BRACE && skipSpace(text, brace + 1) === text.length;
}

function appendToArray(array: string, items: readonly string[]): string {
  const current = array.startsWith('[') ? array.slice(1, -1).trim() : '';
  return `[${(current === '' ? items : [current, ...items]).join(',')}]`;
}

/** Locates an object member of a located object; `undefined` when it is absent or not an object. */
export function readMemberObject(text: string, raw: RawObject, name: string): RawObject | undefined {
  const member = raw.members.get(name);
  return member !== undefined && text[member.start] === '{' ? readRawObject(text, member.start) : undefined;
}
