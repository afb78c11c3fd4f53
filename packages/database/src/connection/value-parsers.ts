import { types } from 'pg';
import type { CustomTypesConfig } from 'pg';

/**
 * How values arrive from this package's connections:
 *
 * - `int8` as number: sums of tokens and bytes stay far below 2^53;
 * - `timestamptz` as number, milliseconds since the epoch;
 * - `numeric` as decimal string, so that money stays exact;
 * - `bytea` as Buffer, `json` parsed, `uuid` and `xid8` as string (the defaults of pg).
 */
export const valueParsers: CustomTypesConfig = {
  getTypeParser: parserOf as CustomTypesConfig['getTypeParser'],
};

function parserOf(oid: Parameters<typeof types.getTypeParser>[0], format: 'text' | 'binary'): unknown {
  const parse: unknown = types.getTypeParser(oid, format);
  if (format === 'binary') return parse;
  if (oid === types.builtins.INT8) return Number;
  if (oid !== types.builtins.TIMESTAMPTZ) return parse;
  return (text: string) => Number((parse as (value: string) => Date)(text));
}
