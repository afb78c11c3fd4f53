import { isAscii } from 'node:buffer';

import { Utf8Validator } from './utf8-validator.ts';

export interface SseEvent {
  /** Value of the `event` field; `message` where the stream names none. */
  event: string;
  /** The `data` lines joined by a line feed. */
  data: string;
  /** Byte offset in the decoded stream right after the event, its blank line included. */
  end: number;
  /** The stream ended before the event's blank line: a standard client never sees this event. */
  unterminated?: true;
}

/** Text of a chunk, one character per byte. */
export interface LineText {
  readonly text: string;
  /** What a part of it says, where that is whole characters. */
  decode(part: string): string;
}

/** Where events go, in their order. */
export interface EventSink {
  accept(event: SseEvent): void;
  /**
   * Offers the text after an event, of which all lines end in LF. The sink may take whole events off it, unseen by the
   * decoder, and answers where the first it has not taken begins.
   */
  acceptRun?(lines: LineText, position: number): number;
}

export interface SseDecoderOptions {
  /** Longest event kept, in bytes. A longer one is dropped and makes the stream invalid. Default 32 MiB. */
  maxEventBytes?: number;
}

const LF = 0x0a;
const PRINTABLE_ASCII = /^[ -~]*$/;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const DEFAULT_MAX_EVENT_BYTES = 32 * 1024 * 1024;

/**
 * Server-sent events decoder after the WHATWG rules, independent of how the bytes are cut into chunks.
 *
 * Lines are found in the Latin-1 view of a chunk: one character per byte, so offsets are byte offsets, searching
 * runs at memchr speed and slices share the chunk's memory; only lines that are not ASCII are decoded again.
 * Differs from the standard in one point: a last event without its blank line is delivered, marked
 * `unterminated`, because its usage was billed.
 */
export class SseDecoder {
  readonly #sink: EventSink;
  readonly #maxEventBytes: number;
  readonly #utf8 = new Utf8Validator();
  /** Bytes before the current chunk. */
  #offset = 0;
  /** First bytes of the stream while they could still be a byte order mark; `undefined` afterwards. */
  #head: Buffer | undefined = Buffer.alloc(0);
  /** Latin-1 text of the line that earlier chunks began. */
  #line = '';
  #lineIsAscii = true;
  #event = '';
  #data: string | undefined;
  #eventBytes = 0;
  /** The event in progress exceeded the limit: skip to its blank line. */
  #oversized = false;
  /** The previous chunk ended in CR: an LF that follows belongs to that line end. */
  #afterCr = false;
  /** Not passed on yet: an LF may follow its final CR, which moves `end`. */
  #held: SseEvent | undefined;
  #wellFormed = true;
  #lastEventLine = '';
  #lastEventName = '';

  constructor(sink: EventSink, options: SseDecoderOptions = {}) {
    this.#sink = sink;
    this.#maxEventBytes = options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES;
  }

  /** False once anything was lost or not understood: invalid UTF-8, unknown fields, an over-long or cut event. */
  get valid(): boolean {
    return this.#wellFormed && this.#utf8.valid;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#head === undefined) this.#decode(bytes);
    else this.#decodeHead(this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]), false);
    if (!this.#afterCr) this.#releaseHeld(0);
  }

  /** Call once after the last chunk. */
  end(): void {
    if (this.#head !== undefined) this.#decodeHead(this.#head, true);
    this.#releaseHeld(0);
    this.#utf8.end();
    const cut = this.#line !== '' || this.#data !== undefined || this.#event !== '' || this.#oversized;
    if (cut) {
      this.#wellFormed = false;
      if (this.#line !== '') this.#takeLine(this.#takeCarried());
      if (this.#data !== undefined && !this.#oversized) this.#emit(this.#offset, true);
    }
    this.#releaseHeld(0);
  }

  #decodeHead(head: Buffer, ended: boolean): void {
    const mayBecomeBom = head.length < BOM.length && BOM.subarray(0, head.length).equals(head);
    if (mayBecomeBom && !ended) {
      this.#head = Buffer.from(head);
      return;
    }
    this.#head = undefined;
    const bom = head.length >= BOM.length && head.subarray(0, BOM.length).equals(BOM);
    if (bom) this.#offset = BOM.length;
    this.#decode(bom ? head.subarray(BOM.length) : head);
  }

  #decode(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const ascii = isAscii(bytes);
    this.#utf8.push(bytes);
    let position = 0;
    if (this.#afterCr) {
      this.#afterCr = false;
      if (bytes[0] === LF) position = 1;
      this.#releaseHeld(position);
    }
    const text = bytes.toString('latin1');
    position = text.includes('\r')
      ? this.#decodeMixedLines(bytes, text, { position, ascii })
      : this.#decodeLines(bytes, text, { position, ascii });
    this.#carry(text.slice(position), ascii);
    this.#offset += bytes.length;
  }

  /** Lines that end in LF only, which is what the Messages API sends. Returns where the unfinished line begins. */
  #decodeLines(bytes: Buffer, text: string, from: { position: number; ascii: boolean }): number {
    const lines = new ChunkText(text, from.ascii);
    let position = from.position;
    let lineEnd = text.indexOf('\n', position);
    while (lineEnd !== -1) {
      const endsEvent = position === lineEnd && this.#line === '';
      this.#endLine(bytes, text, { position, lineEnd, next: lineEnd + 1, ascii: from.ascii });
      position = endsEvent ? this.#offerRun(lines, lineEnd + 1) : lineEnd + 1;
      lineEnd = text.indexOf('\n', position);
    }
    return position;
  }

  /** Not where an event might be too long, or a character not be one. */
  #offerRun(lines: LineText, position: number): number {
    const isSafe = lines.text.length <= this.#maxEventBytes && this.#utf8.valid;
    if (!isSafe || this.#sink.acceptRun === undefined) return position;
    this.#releaseHeld(0);
    return this.#sink.acceptRun(lines, position);
  }

  #decodeMixedLines(bytes: Buffer, text: string, from: { position: number; ascii: boolean }): number {
    let position = from.position;
    let lf = text.indexOf('\n', position);
    let cr = text.indexOf('\r', position);
    while (lf !== -1 || cr !== -1) {
      const byCr = cr !== -1 && (lf === -1 || cr < lf);
      const lineEnd = byCr ? cr : lf;
      const next = byCr && lf === cr + 1 ? lineEnd + 2 : lineEnd + 1;
      this.#endLine(bytes, text, { position, lineEnd, next, ascii: from.ascii });
      position = next;
      if (byCr && next === text.length && lineEnd === next - 1) this.#awaitLf(this.#offset + next);
      if (lf !== -1 && lf < position) lf = text.indexOf('\n', position);
      if (cr !== -1 && cr < position) cr = text.indexOf('\r', position);
    }
    return position;
  }

  #endLine(
    bytes: Buffer,
    text: string,
    at: { position: number; lineEnd: number; next: number; ascii: boolean },
  ): void {
    if (this.#line !== '') {
      this.#carry(text.slice(at.position, at.lineEnd), at.ascii);
      this.#takeLine(this.#takeCarried());
    } else if (at.position === at.lineEnd) {
      this.#endEvent(this.#offset + at.next);
    } else {
      const line = text.slice(at.position, at.lineEnd);
      // Names of events repeat and are ASCII even where the chunk is not.
      const decoded = at.ascii || line === this.#lastEventLine;
      this.#takeLine(decoded ? line : bytes.toString('utf8', at.position, at.lineEnd));
    }
  }

  /** Keeps the beginning of a line whose end is in a later chunk; long ones stay a rope until they are needed. */
  #carry(part: string, ascii: boolean): void {
    if (part === '') return;
    this.#lineIsAscii = (this.#line === '' || this.#lineIsAscii) && ascii;
    this.#line += part;
    if (this.#line.length + this.#eventBytes > this.#maxEventBytes) {
      this.#oversized = true;
      // One character stays, so that the line still counts as not blank.
      this.#line = ':';
    }
  }

  #takeCarried(): string {
    const line = this.#line;
    this.#line = '';
    return this.#lineIsAscii ? line : Buffer.from(line, 'latin1').toString('utf8');
  }

  #takeLine(line: string): void {
    this.#eventBytes += line.length;
    if (this.#eventBytes > this.#maxEventBytes) this.#oversized = true;
    if (this.#oversized) {
      this.#data = undefined;
    } else if (line.startsWith('data:')) {
      this.#takeData(line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5));
    } else if (line === this.#lastEventLine) {
      this.#event = this.#lastEventName;
    } else {
      this.#takeField(line);
    }
  }

  #takeData(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }

  #takeField(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
    switch (name) {
      case 'event':
        this.#event = value;
        // Lines are compared before they are decoded: what differs in the two views must never match.
        this.#lastEventLine = PRINTABLE_ASCII.test(line) ? line : '';
        this.#lastEventName = value;
        break;
      case 'data':
        this.#takeData(value);
        break;
      case 'id':
      case 'retry':
        break;
      default:
        this.#wellFormed = false;
    }
  }

  #endEvent(end: number): void {
    if (this.#oversized) this.#wellFormed = false;
    else if (this.#data !== undefined) this.#emit(end, false);
    this.#event = '';
    this.#data = undefined;
    this.#eventBytes = 0;
    this.#oversized = false;
  }

  #emit(end: number, unterminated: boolean): void {
    const event: SseEvent = {
      event: this.#event === '' ? 'message' : this.#event,
      data: this.#data ?? '',
      end,
    };
    if (unterminated) event.unterminated = true;
    this.#releaseHeld(0);
    this.#held = event;
  }

  /** The chunk ended in CR. An event that ended with it waits for the next byte to know its own end. */
  #awaitLf(end: number): void {
    this.#afterCr = true;
    if (this.#held?.end !== end) this.#releaseHeld(0);
  }

  #releaseHeld(extraBytes: number): void {
    const event = this.#held;
    if (event === undefined) return;
    this.#held = undefined;
    event.end += extraBytes;
    this.#sink.accept(event);
  }
}

class ChunkText implements LineText {
  readonly text: string;
  readonly #ascii: boolean;

  constructor(text: string, ascii: boolean) {
    this.text = text;
    this.#ascii = ascii;
  }

  decode(part: string): string {
    return this.#ascii ? part : Buffer.from(part, 'latin1').toString('utf8');
  }
}
