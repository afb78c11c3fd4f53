import { redactText } from '@claude-nexus/runtime';

import type { LostReason } from '../types.ts';
import type { JournalControl } from './control.ts';
import { idToKey, keyToId } from './exchange-key.ts';
import { rangesOf } from './exchange-ranges.ts';
import type { FoundRecord } from './journal-scanner.ts';
import type { Quarantine, SegmentRange } from './quarantine.ts';
import { ReadExchange } from './read-exchange.ts';
import { RECORD_HEADER_BYTES, recordKey, RecordType, recordType } from './record.ts';
import type { SegmentSource } from './segment-source.ts';
import type { JournalBatch, LostExchange, StoredBegin, StoredEnd, StoredHead, Suspect } from './types.ts';

/** An exchange that was being processed when a worker died is tried this often. */
const MAX_ATTEMPTS = 2;
/** Few refer to a smaller record of a request body: it is checked again where one does. */
const NOTED_BYTES = 4096;

export interface ExchangeTableOptions {
  control: JournalControl;
  quarantine: Quarantine;
  liveFrom: number;
  suspects: readonly Suspect[];
  lost: readonly LostExchange[];
  now: () => number;
}

/** Assembles records into exchanges and keeps those that are not acknowledged. */
export class ExchangeTable {
  readonly #control: JournalControl;
  readonly #quarantine: Quarantine;
  readonly #liveFrom: number;
  readonly #now: () => number;
  readonly #poisoned: ReadonlySet<string>;
  /** Lost exchanges whose closing is still to come. */
  readonly #lost: Map<string, LostReason>;
  readonly #open = new Map<string, ReadExchange>();
  /** Closed and not acknowledged, in order of their ends. */
  readonly #ended = new Map<string, ReadExchange>();
  #changedOpen = new Set<ReadExchange>();
  #newlyEnded: ReadExchange[] = [];
  /** Exchanges an earlier reader was done with, until their end has passed. */
  readonly #acknowledged = new Set<string>();
  /** Records without a begin, by exchange. */
  readonly #orphans = new Map<string, SegmentRange[]>();
  /** From here on a record without a begin may be the rest of an exchange whose begin was corrupt. */
  #sawCorruption = false;

  constructor(options: ExchangeTableOptions) {
    this.#control = options.control;
    this.#quarantine = options.quarantine;
    this.#liveFrom = options.liveFrom;
    this.#now = options.now;
    const poisoned = options.suspects.filter((suspect) => suspect.attempts >= MAX_ATTEMPTS);
    this.#poisoned = new Set(poisoned.map((suspect) => idToKey(suspect.id)));
    this.#lost = new Map(options.lost.map(({ id, reason }) => [idToKey(id), reason]));
  }

  record(found: FoundRecord): void {
    const key = recordKey(found.data, found.at);
    const type = recordType(found.data, found.at);
    const exchange = this.#open.get(key);
    // Others may refer to it, also when its own exchange is done with.
    if ((type === RecordType.request || type === RecordType.requestEnd) && found.bytes >= NOTED_BYTES)
      found.source.noteWholeSlice(found.offset, found.bytes);
    if (exchange === undefined) {
      if (type === RecordType.begin) this.#begin(key, found);
      else this.#orphan(key, type, found);
      return;
    }
    exchange.sources.add(found.source);
    found.source.need(exchange, found.offset, found.bytes);
    this.#apply(exchange, type, found);
    exchange.records++;
  }

  corrupt(source: SegmentSource, from: number, to: number): void {
    this.#sawCorruption = true;
    this.#control.addToCounter('corruptBytes', to - from);
    this.#quarantine.add({
      name: `${source.name}-${from}`,
      reason: 'corrupt',
      ranges: [{ source, from, to }],
    });
  }

  /** The processes of all earlier segments are dead: what they did not end will not end. */
  closeInterrupted(): void {
    for (const exchange of this.#open.values()) {
      if (!exchange.recovered) continue;
      this.#control.addToCounter('interrupted', 1);
      exchange.close('interrupted');
      this.#close(exchange);
    }
  }

  /** The segment may be deleted after this call. */
  finished(source: SegmentSource): void {
    for (const [key, ranges] of this.#orphans) {
      if (ranges.some((range) => range.source === source)) this.#setOrphanAside(key);
    }
  }

  markLost(key: string, reason: LostReason): void {
    if (!this.#ended.has(key)) this.#lost.set(key, reason);
  }

  /** To be called when everything written has been read: more of these exchanges will not come. */
  closeLost(): void {
    for (const [key, reason] of this.#lost) {
      const exchange = this.#open.get(key);
      if (exchange === undefined) continue;
      exchange.close('lost', { lost: reason });
      this.#close(exchange);
    }
    this.#lost.clear();
  }

  takeChanges(): Pick<JournalBatch, 'ended' | 'open'> {
    const ended = this.#newlyEnded;
    const open = [...this.#changedOpen].filter((exchange) => exchange.closing === undefined);
    this.#newlyEnded = [];
    this.#changedOpen = new Set();
    return { ended, open };
  }

  open(): ReadExchange[] {
    return [...this.#open.values()].filter((exchange) => !this.#poisoned.has(exchange.key));
  }

  /** False: there is no such closed exchange. */
  release(key: string): boolean {
    const exchange = this.#ended.get(key);
    if (exchange === undefined) return false;
    if (exchange.damaged) this.#setAside(exchange, { reason: 'damaged' });
    this.#ended.delete(key);
    exchange.release();
    return true;
  }

  quarantine(key: string, why: { reason: string; error?: unknown }): boolean {
    const exchange = this.#ended.get(key);
    if (exchange === undefined) return false;
    this.#setAside(exchange, why);
    this.#ended.delete(key);
    exchange.release();
    return true;
  }

  publish(): void {
    this.#control.setCounter('unackedEnded', this.#ended.size);
    this.#control.setCounter('openExchanges', this.#open.size);
    let oldest = 0;
    for (const exchange of this.#ended.values()) {
      oldest = exchange.end?.endedAt ?? this.#now();
      break;
    }
    this.#control.setCounter('oldestEndedAt', oldest);
  }

  #begin(key: string, found: FoundRecord): void {
    if (this.#ended.has(key)) return;
    if (found.source.wasAcknowledged(found.offset)) {
      this.#acknowledged.add(key);
      return;
    }
    const begin = parsePayload(found) as (StoredBegin & { n?: number }) | undefined;
    if (begin === undefined) return this.#unreadable(found);
    const { n, ...stored } = begin;
    const recovered = found.source.number < this.#liveFrom;
    if (!recovered && n !== undefined && n > this.#control.counter('highestBegin')) {
      this.#control.setCounter('highestBegin', n);
    }
    const exchange = new ReadExchange({ id: keyToId(key), key, recovered }, stored);
    exchange.sources.add(found.source);
    found.source.needBegin(exchange, found.offset, found.bytes);
    this.#open.set(key, exchange);
    if (!this.#poisoned.has(key)) this.#changedOpen.add(exchange);
  }

  #apply(exchange: ReadExchange, type: RecordType, found: FoundRecord): void {
    switch (type) {
      case RecordType.begin:
        return;
      case RecordType.request:
        return exchange.addRequest(found, false);
      case RecordType.requestCopy:
        return exchange.addCopy(found);
      case RecordType.requestEnd:
        exchange.addRequest(found, true);
        if (!this.#poisoned.has(exchange.key)) this.#changedOpen.add(exchange);
        return;
      case RecordType.response:
        return exchange.addResponse(found);
      case RecordType.responseHead:
        exchange.head = (parsePayload(found) as StoredHead | undefined) ?? exchange.head;
        return;
      case RecordType.end: {
        const payload = parsePayload(found) as (StoredEnd & { records?: number }) | undefined;
        if (payload === undefined) return this.#unreadable(found);
        const { records, ...end } = payload;
        if (records !== exchange.records) exchange.damaged = true;
        exchange.close('end', { end });
        return this.#close(exchange);
      }
      case RecordType.lost: {
        const marker: { reason?: LostReason } | undefined = parsePayload(found);
        const lost = marker?.reason ?? 'io_error';
        exchange.close('lost', { lost });
        return this.#close(exchange);
      }
    }
  }

  #close(exchange: ReadExchange): void {
    this.#open.delete(exchange.key);
    this.#lost.delete(exchange.key);
    if (this.#poisoned.has(exchange.key)) {
      this.#setAside(exchange, { reason: 'crashed the worker' });
      exchange.release();
      return;
    }
    this.#ended.set(exchange.key, exchange);
    this.#newlyEnded.push(exchange);
  }

  #setAside(exchange: ReadExchange, why: { reason: string; error?: unknown }): void {
    const detail = why.error instanceof Error ? why.error.message : undefined;
    this.#quarantine.add({
      name: exchange.id,
      reason: why.reason,
      ...(detail === undefined ? {} : { detail: redactText(detail).slice(0, 1000) }),
      ranges: rangesOf(exchange.key, exchange.sources),
    });
  }

  /** The crc is right but the content is not ours to understand. */
  #unreadable(found: FoundRecord): void {
    const { source, offset, bytes } = found;
    this.#quarantine.add({
      name: `${source.name}-${offset}`,
      reason: 'unreadable',
      ranges: [{ source, from: offset, to: offset + bytes }],
    });
  }

  /**
   * A record of an exchange without a begin: usually one that was acknowledged before a restart and stands after the
   * acknowledged offset. After corruption it may be all that is left of an exchange, and is kept.
   */
  #orphan(key: string, type: RecordType, found: FoundRecord): void {
    const last = type === RecordType.end || type === RecordType.lost;
    if (this.#acknowledged.has(key)) {
      if (last) this.#acknowledged.delete(key);
      return;
    }
    if (!this.#sawCorruption || this.#ended.has(key)) return;
    const { source, offset, bytes } = found;
    const ranges = this.#orphans.get(key) ?? [];
    ranges.push({ source, from: offset, to: offset + bytes });
    this.#orphans.set(key, ranges);
    if (last) this.#setOrphanAside(key);
  }

  #setOrphanAside(key: string): void {
    const ranges = this.#orphans.get(key) ?? [];
    this.#orphans.delete(key);
    const place = ranges[0];
    if (place === undefined) return;
    const name = `${keyToId(key)}-${place.source.number}`;
    this.#quarantine.add({ name, reason: 'no begin record', ranges });
  }
}

/** The JSON payload of a record; undefined when it is none. */
function parsePayload(found: FoundRecord): object | undefined {
  const from = found.at + RECORD_HEADER_BYTES;
  try {
    const parsed: unknown = JSON.parse(found.data.toString('utf8', from, found.at + found.bytes));
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
