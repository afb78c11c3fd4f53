import type { RequestRow } from '@claude-nexus/database';
import type { JournalExchange, JournalReader } from '../journal/types.ts';
import type { BodyCutter } from '../store/index.ts';
import { hashKey } from '../store/index.ts';
import type { Exchange } from './exchange.ts';
import { classifyFailure } from './failure.ts';
import { KnownPieces } from './known-pieces.ts';
import type { IngestPort } from './ingest.ts';
import type { CommittedRequest, PreparedUnit, Unit } from './unit.ts';
import { frameUnits, prepareUnit, withoutBytes } from './unit.ts';

/** Journal bytes read for one batch. */
const BATCH_BYTES = 256 * 1024;
/** A request still open after this time gets a `pending` row. */
const TICK_MS = 50;
const IDLE_MS = 1000;
const MAX_RETRIES = 4;
/** A batch that loses its connection this often, while the database answers otherwise, holds a bad record. */
const MAX_LOST_CONNECTIONS = 3;
const BACKOFF_MS = { first: 100, last: 5000 };

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
  recorderId: string;
  report: ShipperReport;
  /** Resolves after `ms`, or at once when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Reads the journal, decodes exchanges and commits them in batches; acknowledges what is committed. */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #known = new KnownPieces();
  /** Requests whose `pending` row is committed. */
  readonly #pending = new Map<string, CommittedRequest>();
  /** Open exchanges that get a `pending` row at the next tick. */
  #fresh = new Set<JournalExchange>();

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /** Ships until the signal aborts; the batch at hand is finished or left in the spool. */
  async run(signal: AbortSignal): Promise<void> {
    const { reader } = this.#options;
    while (!signal.aborted) {
      const timeoutMs = this.#fresh.size > 0 ? TICK_MS : IDLE_MS;
      const batch = await reader.next({ maxBytes: BATCH_BYTES, timeoutMs, signal });
      const due = [...this.#fresh].filter((source) => source.closing === undefined);
      this.#fresh = new Set(
        batch.open.filter((source) => source.requestComplete && !this.#pending.has(source.id)),
      );
      const sources = new Set([...due, ...batch.ended]);
      if (sources.size > 0) await this.#ship([...sources], signal);
    }
  }

  /** Commits all of it, or what remains after bad records went to quarantine, or stops at the signal. */
  async #ship(sources: readonly JournalExchange[], signal: AbortSignal): Promise<void> {
    let retries = 0;
    let lostConnections = 0;
    let backoff = BACKOFF_MS.first;
    while (!signal.aborted) {
      const units = this.#prepare(sources);
      try {
        await this.#commit(units);
        return;
      } catch (error) {
        const kind = classifyFailure(error);
        this.#options.report.failed({ kind, error, batch: units.length });
        this.#forget();
        if (kind === 'outage') lostConnections += (await this.#options.ingest.answers()) ? 1 : 0;
        else retries++;
        const bad = kind === 'bad-record' || retries > MAX_RETRIES || lostConnections > MAX_LOST_CONNECTIONS;
        if (bad) return await this.#bisect(sources, { error, signal });
        await this.#options.wait(backoff, signal);
        backoff = Math.min(backoff * 2, BACKOFF_MS.last);
      }
    }
  }

  async #bisect(
    sources: readonly JournalExchange[],
    { error, signal }: { error: unknown; signal: AbortSignal },
  ): Promise<void> {
    const middle = sources.length >> 1;
    if (middle === 0) {
      for (const source of sources) this.#quarantine(source, error);
      return;
    }
    await this.#ship(sources.slice(0, middle), signal);
    await this.#ship(sources.slice(middle), signal);
  }

  /** An open exchange is only left without its `pending` row: its end will show whether it is really bad. */
  #quarantine(source: JournalExchange, error: unknown): void {
    if (source.closing === undefined) return;
    this.#pending.delete(source.id);
    this.#options.reader.quarantine(source.id, { reason: classifyFailure(error), error });
    this.#options.report.quarantined(source.id, error);
  }

  #prepare(sources: readonly JournalExchange[]): PreparedUnit[] {
    const { reader, cutter, recorderId } = this.#options;
    const prepared: PreparedUnit[] = [];
    for (const source of sources) {
      const unit: Unit = { source, committed: this.#pending.get(source.id) };
      reader.processing(source.id);
      try {
        prepared.push(prepareUnit(unit, { cutter, recorderId }));
      } catch (error) {
        cutter.forget();
        this.#quarantine(source, error);
      }
    }
    reader.processing(undefined);
    return prepared;
  }

  async #commit(units: readonly PreparedUnit[]): Promise<void> {
    if (units.length === 0) return;
    const { ingest, report } = this.#options;
    const missing = await this.#missingPieces(units);
    const { frames, pieces } = frameUnits(
      units,
      (week, hash) => missing.get(week)?.delete(hashKey(hash)) ?? false,
    );
    const rows = units.map((unit) => unit.row);
    await ingest.commit({ frames, pieces, nodes: units.flatMap((unit) => unit.nodes), requests: rows });
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
    this.#pending.clear();
  }
}
