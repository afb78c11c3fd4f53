import type { JournalExchange } from '../journal/types.ts';

/** An exchange the database refused although nothing was wrong with the connection. */
export interface RefusedExchange {
  source: JournalExchange;
  error: unknown;
}

/**
 * Exchanges the database refused, by their ids. Whether the fault is theirs shows only when it takes another one: a
 * broken constraint, a table that is locked or a pooler that forgets prepared statements refuses every exchange, and
 * quarantine would then be where all of them end.
 */
export class RefusedExchanges {
  readonly #limit: number;
  readonly #refused = new Map<string, RefusedExchange>();

  /** @param limit with so many of them nothing more should be read */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#refused.size === 0;
  }

  get isFull(): boolean {
    return this.#refused.size >= this.#limit;
  }

  add(refused: RefusedExchange): void {
    this.#refused.set(refused.source.id, refused);
  }

  /** The one that has waited longest. */
  first(): RefusedExchange | undefined {
    return this.#refused.values().next().value;
  }

  remove({ source }: RefusedExchange): void {
    this.#refused.delete(source.id);
  }
}
