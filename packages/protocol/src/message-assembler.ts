import { ContentBlock, copyMembers, readMemberObject } from './content-block.ts';
import { readDeltaRun } from './delta-run.ts';
import { isJsonObject, parseJson, stringOr } from './json-value.ts';
import type { JsonObject } from './json-value.ts';
import { readRawObject } from './raw-json.ts';
import type { RawObject } from './raw-json.ts';
import type { EventSink, LineText, SseEvent } from './sse-decoder.ts';
import { UsageAccumulator } from './usage.ts';
import type { Usage } from './usage.ts';

/** What an answer amounts to, streamed or not. */
export interface AssembledMessage {
  /**
   * The complete message as JSON text, as if it had not been streamed: every delta folded into its content block,
   * final usage and stop reason, all of it in the spelling of the wire. For an answer that is only an error: the
   * error body. What has no place in a message stands in an extra last member `_stream`, present only if needed:
   * `events` (`{at, event, data}` or, where the data is not JSON, `{at, event, text}`; `at` counts the stream's
   * events from 0), `partialInput` (`{index, text}`: tool input that is not complete JSON) and
   * `estimatedThinkingTokens` (`{index, tokens}`). `undefined`: there was no message.
   */
  json: string | undefined;
  /** `message_stop` was seen, or the body is a whole message. */
  complete: boolean;
  /** False: not everything was understood or kept, so the raw bytes are needed to know what was sent. */
  valid: boolean;
  messageId?: string;
  /** The model that answered; after a server-side fallback, the one that took over. */
  model?: string;
  stopReason?: string;
  errorType?: string;
  errorMessage?: string;
  usage?: Usage;
  /** Content blocks that call a tool, the server's own tools included. */
  toolCallCount: number;
}

export interface MessageAssemblerOptions {
  /** Most text kept, in characters of event data. Beyond it only usage is followed. Default 64 Mi. */
  maxLength?: number;
}

type RawMembers = Map<string, { key: string; value: string }>;

/** An event with its data parsed and located. */
interface ParsedEvent {
  source: SseEvent;
  value: JsonObject;
  raw: RawObject;
}

/** Events whose data has to be JSON; `message` is how a stream without event names appears. */
const JSON_EVENTS: ReadonlySet<string> = new Set([
  'message',
  'message_start',
  'message_delta',
  'message_stop',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'error',
]);

const DEFAULT_MAX_LENGTH = 64 * 1024 * 1024;

/** Folds the events of one streamed answer into the message they amount to. */
export class MessageAssembler implements EventSink {
  readonly #usage = new UsageAccumulator();
  readonly #blocks: ContentBlock[] = [];
  readonly #blockByIndex = new Map<number, ContentBlock>();
  readonly #kept: string[] = [];
  #message: RawMembers | undefined;
  #messageUsage: RawMembers = new Map();
  #errorBody: string | undefined;
  #facts: Omit<AssembledMessage, 'json' | 'complete' | 'valid' | 'usage' | 'toolCallCount'> = {};
  /** The block that got the latest delta: the next one most likely continues it. */
  #current: ContentBlock | undefined;
  #eventCount = 0;
  #room: number;
  #stopped = false;
  #valid = true;
  #firstDeltaEnd: number | undefined;
  #firstStartEnd: number | undefined;

  constructor(options: MessageAssemblerOptions = {}) {
    this.#room = options.maxLength ?? DEFAULT_MAX_LENGTH;
  }

  /** `end` of the first content_block_delta, or of the first content_block_start where no delta came. */
  get firstContentEnd(): number | undefined {
    return this.#firstDeltaEnd ?? this.#firstStartEnd;
  }

  accept(event: SseEvent): void {
    this.#eventCount++;
    this.#room -= event.data.length;
    if (this.#room >= 0 && this.#current?.appendLike(event.data) === true) return;
    const parsed = parseJson(event.data);
    if (parsed === undefined) this.#takeText(event);
    else if (isJsonObject(parsed.value)) this.#takeObject(event, parsed.value);
    else this.#keep(event, true);
  }

  /** Takes the deltas at `position` that only continue the previous one: nearly all events of most streams. */
  acceptRun(lines: LineText, position: number): number {
    const block = this.#current;
    const frame = block?.frame;
    if (block === undefined || frame === undefined) return position;
    const run = readDeltaRun(lines.text, position, frame);
    // Where the room may end within the run, every event is counted by itself.
    if (run.events === 0 || run.dataLength > this.#room) return position;
    const literal = lines.decode(run.literal);
    this.#room -= run.dataLength - run.literal.length + literal.length;
    this.#eventCount += run.events;
    block.appendLiteral(literal);
    return run.end;
  }

  /** The message so far. Meant to be called once, after the last event. */
  result(): AssembledMessage {
    const usage = this.#usage.read();
    const json = this.#render();
    return {
      json,
      complete: this.#stopped && this.#message !== undefined,
      valid: this.#valid && this.#room >= 0,
      ...this.#facts,
      ...(usage !== undefined && { usage }),
      toolCallCount: this.#blocks.filter((block) => block.isToolCall).length,
    };
  }

  /** Data that is not JSON. The torn last event of a cut stream is worth nothing: the raw bytes are kept anyway. */
  #takeText(event: SseEvent): void {
    if (event.event === 'error') this.#facts.errorType ??= 'error';
    if (event.event === 'error') this.#facts.errorMessage ??= event.data.slice(0, 1000);
    if (event.unterminated === true || JSON_EVENTS.has(event.event)) this.#valid = false;
    if (event.unterminated !== true) this.#keep(event, false);
  }

  #takeObject(source: SseEvent, value: JsonObject): void {
    const event: ParsedEvent = { source, value, raw: readRawObject(source.data) };
    if (event.raw.duplicateKeys) this.#valid = false;
    if (this.#room < 0) this.#follow(event);
    else if (!this.#fold(event)) this.#keep(source, true);
  }

  /** Beyond the limit: what takes no room is still worth knowing. */
  #follow(event: ParsedEvent): void {
    const { type, usage, delta } = event.value;
    if (type === 'message_stop') this.#stopped = true;
    if (type === 'error' || event.source.event === 'error') this.#fail(event);
    if (type !== 'message_delta') return;
    this.#usage.delta(usage);
    if (isJsonObject(delta)) this.#learn('stopReason', delta['stop_reason']);
  }

  /** False: the event, or something in it, has no place in the message. */
  #fold(event: ParsedEvent): boolean {
    switch (event.source.event === 'error' ? 'error' : event.value['type']) {
      case 'message_start':
        return this.#startMessage(event);
      case 'content_block_start':
        return this.#startBlock(event);
      case 'content_block_delta':
        return this.#continueBlock(event);
      case 'content_block_stop':
        return this.#stopBlock(event);
      case 'message_delta':
        return this.#finishMessage(event);
      case 'message_stop':
        this.#stopped = true;
        return event.raw.members.size === 1;
      case 'ping':
        return event.raw.members.size === 1;
      case 'error':
        return this.#fail(event);
      default:
        return false;
    }
  }

  #startMessage({ source, value, raw }: ParsedEvent): boolean {
    const message = value['message'];
    const located = readMemberObject(source.data, raw, 'message');
    if (!isJsonObject(message) || located === undefined || this.#message !== undefined) return this.#reject();
    this.#message = copyMembers(source.data, located);
    const usage = readMemberObject(source.data, located, 'usage');
    if (usage !== undefined) this.#messageUsage = copyMembers(source.data, usage);
    if (located.duplicateKeys || usage?.duplicateKeys === true) this.#valid = false;
    // Blocks come as events; content that is there from the start would be overwritten by them.
    if (Array.isArray(message['content']) && message['content'].length > 0) this.#valid = false;
    this.#usage.start(message['usage']);
    this.#learn('messageId', message['id']);
    this.#learn('model', message['model']);
    this.#learn('stopReason', message['stop_reason']);
    return raw.members.size === 2;
  }

  #startBlock({ source, value, raw }: ParsedEvent): boolean {
    this.#firstStartEnd ??= source.end;
    const { content_block: block, index } = value;
    const located = readMemberObject(source.data, raw, 'content_block');
    if (!isJsonObject(block) || located === undefined || typeof index !== 'number') return this.#reject();
    if (index !== this.#blocks.length || located.duplicateKeys) this.#valid = false;
    const started = new ContentBlock(stringOr(block['type'], ''), source.data, located);
    this.#blocks.push(started);
    this.#blockByIndex.set(index, started);
    if (started.type === 'fallback') this.#switchModel(block['to']);
    return raw.members.size === 3;
  }

  /** As the official client does: after a fallback the message carries the name of the model that answered. */
  #switchModel(to: unknown): void {
    const model = isJsonObject(to) ? to['model'] : undefined;
    if (typeof model !== 'string') return;
    this.#facts.model = model;
    this.#message?.set('model', { key: '"model"', value: JSON.stringify(model) });
  }

  #continueBlock({ source, value, raw }: ParsedEvent): boolean {
    this.#firstDeltaEnd ??= source.end;
    const { delta, index } = value;
    const block = typeof index === 'number' ? this.#blockByIndex.get(index) : undefined;
    const located = readMemberObject(source.data, raw, 'delta');
    if (block === undefined || block.stopped || !isJsonObject(delta) || located === undefined) {
      return this.#reject();
    }
    if (located.duplicateKeys) this.#valid = false;
    this.#current = block;
    const folded = block.append({ text: source.data, event: raw, delta, raw: located });
    return folded && raw.members.size === 3;
  }

  #stopBlock({ value, raw }: ParsedEvent): boolean {
    const block = typeof value['index'] === 'number' ? this.#blockByIndex.get(value['index']) : undefined;
    if (block === undefined) return this.#reject();
    block.stopped = true;
    this.#current = undefined;
    return raw.members.size === 2;
  }

  #finishMessage({ source, value, raw }: ParsedEvent): boolean {
    this.#usage.delta(value['usage']);
    const message = this.#message;
    if (message === undefined) return this.#reject();
    for (const [name, part] of copyMembers(source.data, raw)) {
      if (name === 'delta') this.#merge(message, source.data, readMemberObject(source.data, raw, name));
      else if (name === 'usage')
        this.#merge(this.#messageUsage, source.data, readMemberObject(source.data, raw, name));
      else if (name !== 'type') setUnlessNull(message, name, part);
    }
    if (isJsonObject(value['delta'])) this.#learn('stopReason', value['delta']['stop_reason']);
    return true;
  }

  #merge(target: RawMembers, text: string, raw: RawObject | undefined): void {
    if (raw === undefined) return;
    if (raw.duplicateKeys) this.#valid = false;
    for (const [name, part] of copyMembers(text, raw)) setUnlessNull(target, name, part);
  }

  #fail({ source, value }: ParsedEvent): boolean {
    const { error } = value;
    this.#learn('errorType', isJsonObject(error) ? error['type'] : undefined);
    this.#learn('errorMessage', isJsonObject(error) ? error['message'] : undefined);
    this.#facts.errorType ??= 'error';
    this.#errorBody ??= source.data;
    return false;
  }

  #learn(fact: 'messageId' | 'model' | 'stopReason' | 'errorType' | 'errorMessage', value: unknown): void {
    if (typeof value === 'string') this.#facts[fact] = value;
  }

  /** An event out of order or out of shape. */
  #reject(): false {
    this.#valid = false;
    return false;
  }

  #keep(event: SseEvent, isJson: boolean): void {
    if (this.#room < 0) return;
    const at = `"at":${this.#eventCount - 1},"event":${JSON.stringify(event.event)}`;
    this.#kept.push(isJson ? `{${at},"data":${event.data}}` : `{${at},"text":${JSON.stringify(event.data)}}`);
  }

  #render(): string | undefined {
    if (this.#room < 0) return undefined;
    if (this.#message === undefined) return this.#errorBody;
    const rest: string[] = this.#kept.length > 0 ? [`"events":[${this.#kept.join(',')}]`] : [];
    const content = this.#renderContent(rest);
    const message = new Map(this.#message);
    message.set('content', { key: '"content"', value: content });
    if (this.#messageUsage.size > 0) {
      message.set('usage', { key: '"usage"', value: renderMembers(this.#messageUsage) });
    }
    if (rest.length > 0) message.set('_stream', { key: '"_stream"', value: `{${rest.join(',')}}` });
    return renderMembers(message);
  }

  #renderContent(rest: string[]): string {
    const partialInputs: string[] = [];
    const estimates: string[] = [];
    const content = this.#blocks.map((block, index) => {
      const { json, partialInput, valid } = block.finish();
      if (!valid) this.#valid = false;
      if (partialInput !== undefined) {
        partialInputs.push(`{"index":${index},"text":${JSON.stringify(partialInput)}}`);
      }
      if (block.estimatedTokens > 0) estimates.push(`{"index":${index},"tokens":${block.estimatedTokens}}`);
      return json;
    });
    if (partialInputs.length > 0) rest.push(`"partialInput":[${partialInputs.join(',')}]`);
    if (estimates.length > 0) rest.push(`"estimatedThinkingTokens":[${estimates.join(',')}]`);
    return `[${content.join(',')}]`;
  }
}

/** Null means "not told", except where nothing was told before. */
function setUnlessNull(members: RawMembers, name: string, part: { key: string; value: string }): void {
  const known = members.get(name);
  if (known === undefined) members.set(name, part);
  else if (part.value !== 'null') members.set(name, { key: known.key, value: part.value });
}

function renderMembers(members: RawMembers): string {
  return `{${Array.from(members.values(), ({ key, value }) => `${key}:${value}`).join(',')}}`;
}
