import type { FrameRow, NodeRow, PieceRow, RequestRow } from '@claude-nexus/database';
import type { JournalBatch, JournalExchange, JournalReader } from '../../journal/types.ts';
import { exchangeFrames, FrameSet, hashKey, rebuildBody, rebuildResponse } from '../../store/index.ts';
import type { ExchangeFrames, Frame } from '../../store/index.ts';
import type { IngestPort } from '../ingest.ts';

function whole(batch: Partial<JournalBatch>): JournalBatch {
  return { ended: [], open: [], caughtUp: true, ...batch };
}

/** A journal reader that gives scripted batches, then aborts the run. */
export class FakeReader implements JournalReader {
  readonly acked: string[] = [];
  readonly quarantined: string[] = [];
  readonly #batches: (JournalBatch | (() => JournalBatch))[];
  readonly #done: AbortController;

  constructor(batches: (Partial<JournalBatch> | (() => Partial<JournalBatch>))[], done: AbortController) {
    this.#batches = batches.map((batch) =>
      typeof batch === 'function' ? () => whole(batch()) : whole(batch),
    );
    this.#done = done;
  }

  async next(): Promise<JournalBatch> {
    const batch = this.#batches.shift();
    if (batch === undefined) {
      this.#done.abort();
      return { ended: [], open: [], caughtUp: true };
    }
    return typeof batch === 'function' ? batch() : batch;
  }

  ack(id: string): void {
    this.acked.push(id);
  }

  quarantine(id: string): void {
    this.quarantined.push(id);
  }

  processing(): void {}

  showLife(): void {}

  openExchanges(): JournalExchange[] {
    return [];
  }

  markLost(): void {}

  stats(): ReturnType<JournalReader['stats']> {
    return {
      spoolBytes: 0,
      unshippedExchanges: 0,
      openExchanges: 0,
      lagSeconds: 0,
      lateExchanges: 0,
      lostExchanges: 0,
      quarantinedRecords: 0,
      corruptBytes: 0,
      interruptedExchanges: 0,
    };
  }

  close(): void {}
}

type Batch = Parameters<IngestPort['commit']>[0];

/** A database in memory with the rules of the real one: idempotent, and refusing references to what is not there. */
export class MemoryIngest implements IngestPort {
  readonly commits: Batch[] = [];
  readonly requests = new Map<string, RequestRow>();
  readonly #frames = new Map<string, FrameRow>();
  readonly #pieces = new Map<string, PieceRow>();
  readonly #nodes = new Map<string, NodeRow>();
  /** Called before each commit and rehearsal; throws to make it fail. */
  beforeCommit: (batch: Batch) => void = () => undefined;

  async missingPieces(_week: number, hashes: Buffer[]): Promise<Buffer[]> {
    return hashes.filter((hash) => !this.#pieces.has(hashKey(hash)));
  }

  async commit(batch: Batch): Promise<boolean> {
    const written = this.#check(batch);
    const news = batch.frames.filter((frame) => written.has(frameKey(frame)));
    for (const frame of news) this.#frames.set(frameKey(frame), frame);
    for (const piece of batch.pieces) {
      if (written.has(frameKey(piece))) this.#pieces.set(hashKey(piece.hash), piece);
    }
    for (const node of batch.nodes) this.#nodes.set(hashKey(node.hash), node);
    for (const request of batch.requests) this.requests.set(request.id, request);
    this.commits.push(batch);
    return news.length === batch.frames.length;
  }

  async rehearse(batch: Batch): Promise<void> {
    this.#check(batch);
  }

  /** Throws what the database would refuse the batch with; answers the keys of the frames it would write. */
  #check(batch: Batch): ReadonlySet<string> {
    this.beforeCommit(batch);
    const leaves = batch.requests.flatMap(({ leafNode }) =>
      leafNode === undefined ? [] : [hashKey(leafNode)],
    );
    const coming = new Set(batch.nodes.map((node) => hashKey(node.hash)));
    if (!leaves.every((leaf) => coming.has(leaf) || this.#nodes.has(leaf))) throw missing('leaf');
    const given = new Set(batch.frames.map(frameKey));
    const written = new Set([...given].filter((key) => !this.#frames.has(key)));
    for (const { base = '', part } of batch.frames) {
      const key = frameKey({ requestId: base, part });
      if (base !== '' && !written.has(key) && (given.has(key) || !this.#frames.has(key)))
        throw missing('base');
    }
    return written;
  }

  /** Loses everything but the schema, as a database restored from an old backup would. */
  wipe(): void {
    for (const table of [this.#frames, this.#pieces, this.#nodes, this.requests]) table.clear();
  }

  async answers(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}

  requestBody(id: string): string {
    const row = this.requests.get(id) as RequestRow;
    const nodes: Buffer[] = [];
    for (let key = row.leafNode; key !== undefined;) {
      const node = this.#nodes.get(hashKey(key)) as NodeRow;
      nodes.unshift(node.recipe);
      key = node.parent;
    }
    const head = this.#piece(row.headHash as Buffer);
    const tail = row.tailHash === undefined ? undefined : this.#piece(row.tailHash);
    const expected = { sha256: row.requestSha256 as Buffer, length: row.requestLength };
    return rebuildBody({ head, nodes, tail, ...expected }, (hash) => this.#piece(hash)).toString();
  }

  responseSections(id: string): Map<string, Buffer> {
    return (this.#exchange(id).response as Frame).sections;
  }

  frameMeta(id: string, side: keyof ExchangeFrames): unknown {
    return this.#exchange(id)[side]?.meta;
  }

  responseBody(id: string, length: number): string {
    const row = this.requests.get(id) as RequestRow;
    const recipe = this.responseSections(id).get('response') as Buffer;
    return rebuildResponse({ recipe, sha256: row.responseSha256 as Buffer, length }, (hash) =>
      this.#piece(hash),
    ).toString();
  }

  #piece(hash: Buffer): Buffer {
    const piece = this.#pieces.get(hashKey(hash)) as PieceRow;
    return this.#frame(piece).bytes.subarray(piece.offset, piece.offset + piece.length);
  }

  #exchange(id: string): ExchangeFrames {
    return exchangeFrames(new FrameSet(this.#frames.values()), id);
  }

  #frame({ requestId, part }: { requestId: string; part: number }): Frame {
    return new FrameSet(this.#frames.values()).decode(requestId, part) as Frame;
  }
}

function frameKey({ requestId, part }: { requestId: string; part: number }): string {
  return `${requestId}/${part}`;
}

function missing(what: string): Error {
  return Object.assign(new Error(`missing ${what}`), { code: 'NEXUS_MISSING_NODE' });
}
