import type { RequestRow } from '@claude-nexus/database';
import { MAX_PROCESSING } from '../journal/control.ts';
import type { JournalExchange, JournalReader } from '../journal/types.ts';
import type { BodyCutter } from '../store/index.ts';
import { hashKey } from '../store/index.ts';
import type { Exchange } from './exchange.ts';
import { classifyFailure, mayBlameRecord } from './failure.ts';
import { FrameBases } from './frame-bases.ts';
import { KnownPieces } from './known-pieces.ts';
import type { IngestPort } from './ingest.ts';
import { RefusedExchanges } from './refused.ts';
import type { RefusedExchange } from './refused.ts';
import { standIn } from './stand-in.ts';
import type { CommittedRequest, PreparedUnit, Unit } from './unit.ts';
import { frameUnits, prepareUnit, withoutBytes } from './unit.ts';

/** Journal bytes read for one batch. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** A request still open after this time gets a `pending` row. */
const TICK_MS = 50;
const IDLE_MS = 1000;
const MAX_RETRIES = 4;
/** A batch that loses its connection this often, while the database answers otherwise, holds a bad record. */
const MAX_LOST_CONNECTIONS = 3;
const BACKOFF_MS = { first: 100, last: 5000 };
/** With so many refused exchanges nothing more is read until it is clear what becomes of one of them. */
const MAX_REFUSED = 1000;

/** A batch that is not tried as a whole. */
const TOO_MANY = { error: undefined };

/** What the shipper tells its surroundings. */
export interface ShipperReport {
  committed(rows: readonly RequestRow[]): void;
  failed(failure: { kind: string; error: unknown; batch: number }): void;
  quarantined(exchangeId: string, error: unknown): void;
}

export interface ShipperOptions {
  reader: JournalReader;
  ingest: IngestPort;
  cutter: BodyCutter;
  bases: FrameBases;
  recorderId: string;
  /** Exchanges an earlier worker died with: each is committed alone. */
  suspects: ReadonlySet<string>;
  report: ShipperReport;
  /** Resolves after `ms`, or at once when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Reads the journal, decodes exchanges and commits them in batches; acknowledges what is committed. */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #known = new KnownPieces();
  readonly #bases: FrameBases;
  /** Requests whose `pending` row is committed. */
  readonly #pending = new Map<string, CommittedRequest>();
  /** Open exchanges that get a `pending` row at the next tick. */
  #fresh = new Set<JournalExchange>();
  readonly #refused = new RefusedExchanges(MAX_REFUSED);
  #refusedBackoff = BACKOFF_MS.first;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#bases = options.bases;
  }

  /** Bytes kept of earlier exchanges, to store of the next ones only what is new; by estimate. */
  get rememberedBytes(): number {
    return this.#options.cutter.memoryBytes + this.#bases.bytes;
  }

  /** Ships until the signal aborts; the batch at hand is finished or left in the spool. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#refused.isFull) await this.#shipNext(signal);
      if (!this.#refused.isEmpty && !signal.aborted) await this.#reconsider(signal);
    }
  }

  async #shipNext(signal: AbortSignal): Promise<void> {
    const timeoutMs = this.#fresh.size > 0 ? TICK_MS : IDLE_MS;
    const batch = await this.#options.reader.next({ maxBytes: BATCH_BYTES, timeoutMs, signal });
    const due = [...this.#fresh].filter((source) => source.closing === undefined);
    this.#fresh = new Set(
      batch.open.filter((source) => source.requestComplete && !this.#pending.has(source.id)),
    );
    const sources = [...new Set([...due, ...batch.ended])];
    const { suspects } = this.#options;
    const suspected = suspects.size === 0 ? [] : sources.filter(({ id }) => suspects.has(id));
    await this.#ship(
      suspected.length === 0 ? sources : sources.filter(({ id }) => !suspects.has(id)),
      signal,
    );
    for (const source of suspected) await this.#ship([source], signal);
  }

  /** Commits all of it, or what remains without those the database refuses, or stops at the signal. */
  async #ship(sources: readonly JournalExchange[], signal: AbortSignal): Promise<void> {
    if (sources.length === 0) return;
    const refusal = sources.length > MAX_PROCESSING ? TOO_MANY : await this.#attempt(sources, signal);
    if (refusal === undefined) return;
    const middle = sources.length >> 1;
    if (middle > 0) {
      await this.#ship(sources.slice(0, middle), signal);
      await this.#ship(sources.slice(middle), signal);
      return;
    }
    // One still open is only left without its `pending` row: its end will show whether it is really bad.
    for (const source of sources) {
      if (source.closing !== undefined) this.#refused.add({ source, ...refusal });
    }
  }

  /** Tries until the batch is committed, or the signal aborts, or the batch is refused: with what error. */
  async #attempt(
    sources: readonly JournalExchange[],
    signal: AbortSignal,
  ): Promise<{ error: unknown } | undefined> {
    let retries = 0;
    let lostConnections = 0;
    let backoff = BACKOFF_MS.first;
    let isRetry = false;
    while (!signal.aborted) {
      const units = this.#prepare(sources);
      try {
        await this.#commit(units, isRetry);
        return undefined;
      } catch (error) {
        const kind = classifyFailure(error);
        this.#options.report.failed({ kind, error, batch: units.length });
        this.#forget();
        isRetry = true;
        if (kind === 'outage') lostConnections += (await this.#options.ingest.answers()) ? 1 : 0;
        else retries++;
        const bad = kind === 'bad-record' || retries > MAX_RETRIES || lostConnections > MAX_LOST_CONNECTIONS;
        if (bad) return { error };
        await this.#options.wait(backoff, signal);
        backoff = Math.min(backoff * 2, BACKOFF_MS.last);
      }
    }
    return undefined;
  }

  /**
   * Tries refused exchanges again, one after the other, until the database refuses one for reasons of its own. One is
   * to blame when the database takes another of its time before and after it.
   */
  async #reconsider(signal: AbortSignal): Promise<void> {
    for (let one = this.#refused.first(); one !== undefined && !signal.aborted; one = this.#refused.first()) {
      const takesAnother = await this.#takesAnother(one.source);
      const error = await this.#attemptAlone(one, signal);
      if (error !== undefined) {
        const toBlame = takesAnother && mayBlameRecord(error) && (await this.#takesAnother(one.source));
        if (!toBlame) {
          this.#refused.add({ ...one, error });
          break;
        }
        this.#quarantine(one.source, error);
      }
      this.#refusedBackoff = BACKOFF_MS.first;
    }
    if (this.#refused.isEmpty || signal.aborted) return;
    await this.#options.wait(this.#refusedBackoff, signal);
    this.#refusedBackoff = Math.min(this.#refusedBackoff * 2, BACKOFF_MS.last);
  }

  /** Whether the database would take an exchange of the same time that holds nothing of this one. */
  async #takesAnother(source: JournalExchange): Promise<boolean> {
    const { cutter, ingest, recorderId } = this.#options;
    try {
      const unit = prepareUnit({ source: standIn(source), committed: undefined }, { cutter, recorderId });
      const { frames, pieces } = frameUnits([unit], {
        isMissing: () => true,
        bases: new FrameBases(),
        isRetry: true,
      });
      await ingest.rehearse({ frames, pieces, nodes: unit.nodes, requests: [unit.row] });
      return true;
    } catch {
      return false;
    }
  }

  /** @returns the error it is refused with; it is then no longer among the refused */
  async #attemptAlone(refused: RefusedExchange, signal: AbortSignal): Promise<unknown> {
    const refusal = await this.#attempt([refused.source], signal);
    if (!signal.aborted) this.#refused.remove(refused);
    return signal.aborted ? undefined : refusal?.error;
  }

  #quarantine(source: JournalExchange, error: unknown): void {
    if (source.closing === undefined) return;
    this.#pending.delete(source.id);
    this.#options.reader.quarantine(source.id, { reason: classifyFailure(error), error });
    this.#options.report.quarantined(source.id, error);
  }

  #prepare(sources: readonly JournalExchange[]): PreparedUnit[] {
    const { reader, cutter, recorderId } = this.#options;
    // Batches follow each other: of those before nothing is written any more.
    cutter.recycle();
    const prepared: PreparedUnit[] = [];
    for (const source of sources) {
      const unit: Unit = { source, committed: this.#pending.get(source.id) };
      reader.processing([source.id]);
      try {
        prepared.push(prepareUnit(unit, { cutter, recorderId }));
      } catch (error) {
        cutter.forget();
        this.#quarantine(source, error);
      }
    }
    reader.processing([]);
    return prepared;
  }

  async #commit(units: readonly PreparedUnit[], isRetry: boolean): Promise<void> {
    if (units.length === 0) return;
    const { reader } = this.#options;
    reader.processing(units.map(({ exchange }) => exchange.source.id));
    try {
      await this.#write(units, isRetry);
    } finally {
      reader.processing([]);
    }
  }

  async #write(units: readonly PreparedUnit[], isRetry: boolean): Promise<void> {
    const { ingest, report } = this.#options;
    const missing = await this.#missingPieces(units);
    const { frames, pieces, placed } = frameUnits(units, {
      isMissing: (week, hash) => missing.get(week)?.delete(hashKey(hash)) ?? false,
      bases: this.#bases,
      isRetry,
    });
    const rows = units.map((unit) => unit.row);
    const nodes = units.flatMap((unit) => unit.nodes);
    const areNew = await ingest.commit({ frames, pieces, nodes, requests: rows });
    if (areNew) for (const { place, frame } of placed) this.#bases.add(place, frame);
    else this.#bases.clear();
    for (const { exchange, parts } of units) {
      for (const { pieces: offered } of parts) {
        for (const piece of offered) this.#known.add(exchange.request.week, piece.hash);
      }
      this.#settle(exchange);
    }
    report.committed(rows);
  }

  #settle({ source, request, response }: Exchange): void {
    if (response === undefined) {
      this.#pending.set(source.id, { request: withoutBytes(request) });
      return;
    }
    this.#pending.delete(source.id);
    this.#options.reader.ack(source.id);
  }

  /** Asks the database, once per week of the batch, which of the pieces it has not seen it lacks. */
  async #missingPieces(units: readonly PreparedUnit[]): Promise<Map<number, Set<string>>> {
    const unknown = new Map<number, Map<string, Buffer>>();
    for (const { exchange, parts } of units) {
      const { week } = exchange.request;
      const hashes = unknown.get(week) ?? new Map<string, Buffer>();
      unknown.set(week, hashes);
      for (const { pieces } of parts) {
        for (const { hash } of pieces) {
          if (!this.#known.has(week, hash)) hashes.set(hashKey(hash), hash);
        }
      }
    }
    const missing = new Map<number, Set<string>>();
    for (const [week, hashes] of unknown) {
      if (hashes.size === 0) continue;
      const answer = await this.#options.ingest.missingPieces(week, [...hashes.values()]);
      missing.set(week, new Set(answer.map(hashKey)));
    }
    return missing;
  }

  /** After a failure nothing is taken for granted: the next attempt cuts and asks again. */
  #forget(): void {
    this.#options.cutter.forget();
    this.#known.clear();
    this.#bases.clear();
    this.#pending.clear();
  }
}
