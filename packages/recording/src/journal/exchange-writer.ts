import type { BeginMeta, EndMeta, ExchangeRecording, LostReason, ResponseHead } from '../types.ts';
import type { AppendEntry, AppendOwner, EntryPlace } from './append-queue.ts';
import { bodySession } from './body-session.ts';
import type { BodySession } from './body-session.ts';
import { sealSlice } from './body-slice.ts';
import type { BodySlice } from './body-slice.ts';
import { sealCopy } from './copy-record.ts';
import { BodyDraft } from './earlier-bodies.ts';
import type { CopiedBytes, EarlierBodies, EarlierBody } from './earlier-bodies.ts';
import type { EndWait } from './end-waits.ts';
import { MAX_PAYLOAD_BYTES, RecordType, textRecord } from './record.ts';
import type { RecordOrigin } from './record.ts';
import { ComparedBody, FullBody, REQUEST_SLICE_BYTES } from './request-body.ts';
import type { RequestBody, SliceSink } from './request-body.ts';
import type { Slab, SlabPool } from './slab-pool.ts';
import type { StoredEnd, StoredHeaders } from './types.ts';

/** A slice of the answer is written when it has grown to this, or at the next tick. */
const RESPONSE_SLICE_BYTES = 32 * 1024;
/** Chunks of a few bytes must not let the series outgrow a record. */
const MAX_SLICE_CHUNKS = 8192;

/** What a recording needs of the journal it writes to. */
export interface RecordingHost {
  readonly seed: number;
  /** Memory for records. */
  readonly slabs: SlabPool;
  readonly earlierBodies: EarlierBodies;
  /** The segment that entries appended now may refer to, if any. */
  readonly referable: number | undefined;
  storedHeaders(headers: readonly string[]): StoredHeaders;
  storedTarget(path: string): string;
  storedMessage(text: string): string;
  /** Takes the entry, or says why not. */
  append(entry: AppendEntry): LostReason | undefined;
  /** What the sender of a body should wait for, because the disk is behind. */
  catchUp(): Promise<void> | undefined;
  /** The recording holds bytes to be written at the next tick. */
  markDirty(recording: ExchangeWriter): void;
  /** A wait for the end record, bounded, because the client is served regardless. */
  startWait(): EndWait;
  closed(recording: ExchangeWriter): void;
  lost(recording: ExchangeWriter, reason: LostReason): void;
  /** A lost exchange has records in the journal: the reader must learn that no more will come. */
  mark(recording: ExchangeWriter, reason: LostReason): void;
}

export interface RecordingIdentity {
  /** UUIDv7 text. */
  id: string;
  idBytes: Buffer;
  /** Counts begun exchanges, so that the reader can say how far it is. */
  sequence: number;
}

/** Turns the calls for one exchange into records. */
export class ExchangeWriter implements ExchangeRecording, AppendOwner, SliceSink {
  readonly id: string;
  readonly idBytes: Buffer;
  readonly #host: RecordingHost;
  readonly #origin: RecordOrigin;
  readonly #recordBody: boolean;
  #state: 'open' | 'ended' | 'lost' = 'open';
  #lostReason: LostReason | undefined;
  /** Sealed records that are not appended yet. */
  #sealed: Buffer[] = [];
  #sealedSlabs: Slab[] = [];
  #sealedBytes = 0;
  /** The segment that sealed records refer to. */
  #sealedFor: number | undefined;
  /** Until the body is complete. */
  #request: RequestBody | undefined;
  #requestLength = 0;
  readonly #session: BodySession | undefined;
  /** Of a request body that later ones may refer to. */
  #draft: BodyDraft | undefined;
  #responseParts: Buffer[] = [];
  #responsePartBytes = 0;
  #responseLength = 0;
  #series: number[] = [];
  #lastChunkAt: number;
  /** Sealed so far: the end record tells, so that a missing one is noticed. */
  #records = 0;
  #onDisk = false;
  #finalEntry: AppendEntry | undefined;
  #wait: EndWait | undefined;
  /** Owned by the host: already in the set of recordings to look at. */
  dirty = false;

  constructor(host: RecordingHost, identity: RecordingIdentity, meta: BeginMeta) {
    this.id = identity.id;
    this.idBytes = identity.idBytes;
    this.#host = host;
    this.#origin = { id: identity.idBytes, seed: host.seed };
    this.#recordBody = meta.recordBody;
    this.#session = bodySession(meta);
    this.#request = this.#startRequest();
    this.#lastChunkAt = Math.round(meta.startedAt);
    // Field by field: whatever else the caller's object carries must not reach the disk.
    const stored = {
      n: identity.sequence,
      startedAt: meta.startedAt,
      method: meta.method,
      path: host.storedTarget(meta.path),
      domain: meta.domain,
      scope: meta.scope,
      accountId: meta.accountId,
      clientKeyName: meta.clientKeyName,
      headers: host.storedHeaders(meta.headers),
      recordBody: meta.recordBody,
    };
    this.#seal(textRecord(this.#origin, RecordType.begin, JSON.stringify(stored)));
    host.markDirty(this);
  }

  get dropped(): boolean {
    return this.#state === 'lost';
  }

  requestChunk(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    if (!this.#recordBody) {
      this.#requestLength += chunk.length;
      return;
    }
    for (const part of portions(chunk)) {
      this.#request?.add(part);
      // What refers to a segment has to be in the queue before that is closed.
      if (this.#sealedBytes >= REQUEST_SLICE_BYTES || this.#sealedFor !== undefined) this.#append();
    }
    if (this.#request?.isWaiting === true || this.#sealedBytes > 0) this.#host.markDirty(this);
  }

  catchUp(): Promise<void> | undefined {
    return this.#recordBody && this.#state === 'open' ? this.#host.catchUp() : undefined;
  }

  requestEnd(): void {
    if (this.#state !== 'open') return;
    this.#request?.end();
    this.#request = undefined;
    this.#append();
  }

  slice(parts: readonly Buffer[], isLast: boolean): void {
    const partBytes = parts.reduce((sum, { length }) => sum + length, 0);
    const bodyOffset = this.#requestLength;
    const recordOffset = this.#sealedBytes;
    const record = this.#sealSlice({
      type: isLast ? RecordType.requestEnd : RecordType.request,
      // Where bodies are not recorded the length counts bytes that are not there.
      bodyOffset: this.#recordBody ? bodyOffset : 0,
      parts,
      partBytes,
      series: [],
    });
    const skip = record.length - partBytes;
    if (partBytes > 0) this.#draft?.add({ bodyOffset, recordOffset, skip }, parts);
    this.#requestLength += partBytes;
  }

  copy(bytes: CopiedBytes): void {
    this.#seal(sealCopy(this.#origin, { bodyOffset: this.#requestLength, ...bytes }));
    this.#sealedFor = this.#host.referable;
    this.#requestLength += bytes.bytes;
  }

  mayReferTo(earlier: EarlierBody): boolean {
    return this.#host.referable === earlier.segment;
  }

  outgrown(): void {
    if (this.#session !== undefined) this.#host.earlierBodies.forget(this.#session.session);
  }

  responseHead(head: ResponseHead): void {
    if (this.#state !== 'open') return;
    const stored = { status: head.status, headers: this.#host.storedHeaders(head.headers), at: head.at };
    this.#seal(textRecord(this.#origin, RecordType.responseHead, JSON.stringify(stored)));
    this.#host.markDirty(this);
  }

  responseChunk(chunk: Buffer, at: number): void {
    if (this.#state !== 'open') return;
    if (!this.#recordBody) {
      this.#responseLength += chunk.length;
      return;
    }
    for (const part of portions(chunk)) this.#addResponsePart(part, Math.round(at));
    if (!this.dirty && this.#responsePartBytes > 0) this.#host.markDirty(this);
  }

  end(meta: EndMeta): Promise<void> {
    if (this.#state !== 'open') return Promise.resolve();
    this.#state = 'ended';
    this.#sealParts();
    const stored: StoredEnd & { records: number } = {
      outcome: meta.outcome,
      endedAt: meta.endedAt,
      requestLength: this.#requestLength,
      responseLength: this.#responseLength,
      records: this.#records,
    };
    if (meta.status !== undefined) stored.status = meta.status;
    if (meta.errorType !== undefined) stored.errorType = meta.errorType;
    if (meta.errorMessage !== undefined) stored.errorMessage = this.#host.storedMessage(meta.errorMessage);
    if (meta.requestTruncated !== undefined) stored.requestTruncated = meta.requestTruncated;
    this.#seal(textRecord(this.#origin, RecordType.end, JSON.stringify(stored)));
    this.#wait = this.#host.startWait();
    this.#finalEntry = this.#append();
    return this.#wait.promise;
  }

  /** Appends what is held back; called at every tick and at shutdown. */
  flush(): void {
    if (this.#state !== 'open') return;
    this.#sealParts();
    if (this.#sealedBytes > 0) this.#append();
  }

  entryWritten(entry: AppendEntry, place: EntryPlace): void {
    this.#keepBody(this.#draft?.written(entry, place));
    if (!this.#onDisk && this.#lostReason !== undefined) this.#host.mark(this, this.#lostReason);
    this.#onDisk = true;
    if (entry !== this.#finalEntry) return;
    this.#host.closed(this);
    this.#wait?.settle();
  }

  entryFailed(_entry: AppendEntry, reason: LostReason): void {
    this.#lose(reason);
  }

  #lose(reason: LostReason): void {
    if (this.#state === 'lost') return;
    this.#state = 'lost';
    this.#lostReason = reason;
    for (const slab of this.#sealedSlabs) this.#host.slabs.release(slab);
    this.#sealed = [];
    this.#sealedSlabs = [];
    this.#request = undefined;
    this.#draft = undefined;
    this.#responseParts = [];
    this.#series = [];
    this.#host.lost(this, reason);
    if (this.#onDisk) this.#host.mark(this, reason);
    this.#wait?.settle();
  }

  #addResponsePart(part: Buffer, at: number): void {
    this.#responseParts.push(part);
    this.#responsePartBytes += part.length;
    // A clock that was set back must not make a negative step.
    const step = Math.max(0, at - this.#lastChunkAt);
    this.#lastChunkAt += step;
    this.#series.push(step, part.length);
    if (this.#responsePartBytes < RESPONSE_SLICE_BYTES && this.#responseParts.length < MAX_SLICE_CHUNKS)
      return;
    this.#sealResponse();
    this.#append();
  }

  #startRequest(): RequestBody {
    if (this.#session === undefined) return new FullBody(this);
    const { session } = this.#session;
    const { referable, earlierBodies } = this.#host;
    const earlier = referable === undefined ? undefined : earlierBodies.find(session, referable);
    if (earlier === undefined) return this.#startDraft(this.#session);
    return new ComparedBody(this, earlier, () => this.#startDraft(this.#session as BodySession));
  }

  #startDraft({ length }: BodySession): RequestBody {
    this.#draft = new BodyDraft(length);
    return new FullBody(this);
  }

  #keepBody(body: EarlierBody | undefined): void {
    if (body === undefined || this.#session === undefined) return;
    this.#draft = undefined;
    this.#host.earlierBodies.add(this.#session.session, body);
  }

  #sealParts(): void {
    this.#request?.flush();
    if (this.#responsePartBytes > 0) this.#sealResponse();
  }

  #sealResponse(): void {
    const slice = {
      type: RecordType.response,
      bodyOffset: this.#responseLength,
      parts: this.#responseParts,
      partBytes: this.#responsePartBytes,
      series: this.#series,
    };
    this.#sealSlice(slice);
    this.#responseLength += this.#responsePartBytes;
    this.#responseParts = [];
    this.#responsePartBytes = 0;
    this.#series = [];
  }

  #sealSlice(slice: BodySlice): Buffer {
    const { bytes, slab } = sealSlice(this.#origin, slice, this.#host.slabs);
    if (slab !== undefined) this.#sealedSlabs.push(slab);
    this.#seal(bytes);
    return bytes;
  }

  #seal(record: Buffer): void {
    this.#records++;
    this.#sealed.push(record);
    this.#sealedBytes += record.length;
  }

  /** undefined: the journal does not take it, the exchange is lost. */
  #append(): AppendEntry | undefined {
    const entry = {
      buffers: this.#sealed,
      bytes: this.#sealedBytes,
      slabs: this.#sealedSlabs,
      owner: this,
      segment: this.#sealedFor,
    };
    const refused = this.#host.append(entry);
    if (refused !== undefined) {
      this.#lose(refused);
      return undefined;
    }
    this.#sealed = [];
    this.#sealedSlabs = [];
    this.#sealedBytes = 0;
    this.#sealedFor = undefined;
    this.#draft?.appended(entry);
    return entry;
  }
}

/** A chunk in pieces that fit a record, without copying. */
function portions(chunk: Buffer): Buffer[] {
  const limit = MAX_PAYLOAD_BYTES / 2;
  if (chunk.length <= limit) return chunk.length === 0 ? [] : [chunk];
  const pieces: Buffer[] = [];
  for (let at = 0; at < chunk.length; at += limit) pieces.push(chunk.subarray(at, at + limit));
  return pieces;
}

/** What `begin` returns when nothing is recorded: counted or switched off. */
export class UnrecordedExchange implements ExchangeRecording {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  requestChunk(): void {}

  catchUp(): undefined {}

  requestEnd(): void {}

  responseHead(): void {}

  responseChunk(): void {}

  end(): Promise<void> {
    return Promise.resolve();
  }
}
