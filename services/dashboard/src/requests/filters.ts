import type { RequestListQuery } from '@claude-nexus/api-contract';
import type { RequestFilters } from '../store.ts';
import { parseWindow } from './times.ts';

/**
 * The filters of a checked query.
 *
 * @throws {InputInvalidError} for times that do not exist or do not fit together
 */
export function toFilters(query: RequestListQuery): RequestFilters {
  const { limit: _limit, cursor: _cursor, from: _from, to: _to, ...rest } = query;
  return { ...rest, ...parseWindow(query) };
}
