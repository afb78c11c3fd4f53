import type { RequestKind } from '@claude-nexus/domain';

import type { Outcome } from '../rows.ts';
import { InvalidQueryError } from './errors.ts';

/** Conditions on exchanges; all given ones must hold. */
export interface RequestFilter {
  readonly domain?: string | undefined;
  readonly account?: string | undefined;
  readonly model?: string | undefined;
  readonly status?: number | undefined;
  readonly outcome?: Outcome | undefined;
  readonly kind?: RequestKind | undefined;
  readonly conversation?: string | undefined;
  readonly session?: string | undefined;
  readonly agent?: string | undefined;
  /** Started at or after, epoch milliseconds. */
  readonly from?: number | undefined;
  /** Started before, epoch milliseconds. */
  readonly to?: number | undefined;
}

/** @throws InvalidQueryError for a text no row can hold */
export function checkFilter(filter: RequestFilter): void {
  for (const [field, value] of Object.entries(filter)) {
    if (typeof value === 'string' && value.includes('\0'))
      throw new InvalidQueryError(field, 'a text without NUL');
  }
}

/** Numbers the parameters of a statement as its text is put together. */
export class Parameters {
  readonly values: unknown[] = [];

  /** @returns the text that stands for `value`, e.g. `$3::text` */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/** @returns conditions on a request named `r` and its source named `s`, to be joined by `and` */
export function rowConditions(filter: RequestFilter, parameters: Parameters): string[] {
  const conditions: string[] = [];
  const equal = (column: string, value: unknown, type: string): void => {
    if (value !== undefined) conditions.push(`${column} = ${parameters.add(value, type)}`);
  };
  equal('s.domain', filter.domain, 'text');
  equal('s.account_id', filter.account, 'text');
  equal('r.model', filter.model, 'text');
  equal('r.session_id', filter.session, 'text');
  equal('r.agent_id', filter.agent, 'text');
  equal('r.status', filter.status, 'integer');
  equal('r.outcome', filter.outcome, 'nexus.request_outcome');
  equal('r.kind', filter.kind, 'nexus.request_kind');
  return conditions;
}

/** @returns conditions on a rollup named `u` that hold for every bucket with a match; none: rollups do not help */
export function rollupConditions(filter: RequestFilter, parameters: Parameters): string[] {
  const conditions: string[] = [];
  const equal = (column: string, value: unknown, type: string): void => {
    if (value !== undefined) conditions.push(`${column} = ${parameters.add(value, type)}`);
  };
  equal('u.domain', filter.domain, 'text');
  equal('u.account_id', filter.account, 'text');
  equal('u.model', filter.model, 'text');
  equal('u.outcome', filter.outcome, 'nexus.request_outcome');
  equal('u.kind', filter.kind, 'nexus.request_kind');
  return conditions;
}
