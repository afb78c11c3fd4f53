import { resolve } from 'node:path';

import type { EnumSetting, FamilySetting, NumberSetting, Setting, UrlSetting } from './table.ts';

/** Either the typed value, or what is expected instead (never the value itself: it may be a secret). */
export type Parsed = { readonly value: unknown } | { readonly expected: string };

type SingleSetting = Exclude<Setting, FamilySetting>;
type Reader<K> = (setting: Extract<SingleSetting, { kind: K }>, text: string, baseDir: string) => Parsed;

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const POWERS = ['K', 'M', 'G', 'T'] as const;
const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  ...Object.fromEntries(POWERS.map((letter, index) => [`${letter}B`, 1000 ** (index + 1)])),
  ...Object.fromEntries(POWERS.map((letter, index) => [`${letter}i`, 1024 ** (index + 1)])),
  ...Object.fromEntries(POWERS.map((letter, index) => [`${letter}iB`, 1024 ** (index + 1)])),
};

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  false: false,
  '0': false,
  no: false,
};

const MAX_PORT = 65_535;

const READERS: { readonly [K in SingleSetting['kind']]: Reader<K> } = {
  string: (_, text) => ({ value: text }),
  secret: (_, text) => ({ value: text }),
  path: (_, text, baseDir) => ({ value: resolve(baseDir, text) }),
  url: parseUrl,
  boolean: (_, text) => parseBoolean(text),
  enum: parseEnum,
  port: (_, text) => parseInteger(text, { min: 0, max: MAX_PORT, expected: `a port from 0 to ${MAX_PORT}` }),
  integer: (setting, text) =>
    parseInteger(text, { ...limitsOf(setting), expected: `a whole number${rangeOf(setting)}` }),
  duration: (setting, text) =>
    parseQuantity(setting, text, {
      units: MILLISECONDS,
      expected: 'a duration with its unit, such as 300s or 5m',
    }),
  bytes: (setting, text) =>
    parseQuantity(setting, text, { units: BYTES, expected: 'a size, such as 512MiB or 2GiB' }),
};

/**
 * Reads the text of one setting.
 *
 * @param text what the user wrote, not empty
 * @param baseDir folder against which a relative path is resolved
 */
export function parseValue(setting: SingleSetting, text: string, baseDir: string): Parsed {
  const read: (setting: SingleSetting, text: string, baseDir: string) => Parsed = READERS[
    setting.kind
  ] as never;
  return read(setting, text, baseDir);
}

function parseUrl(setting: UrlSetting, text: string): Parsed {
  const protocols = setting.protocols ?? ['http:', 'https:'];
  const expected = `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol) ? { value: text } : { expected };
}

function parseBoolean(text: string): Parsed {
  const value = BOOLEANS[text.toLowerCase()];
  return value === undefined ? { expected: 'true or false' } : { value };
}

function parseEnum(setting: EnumSetting, text: string): Parsed {
  const value = setting.values.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  return value === undefined ? { expected: `one of ${setting.values.join(', ')}` } : { value };
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

function limitsOf(setting: NumberSetting): Limits {
  return { min: setting.min ?? 0, max: setting.max ?? Number.MAX_SAFE_INTEGER };
}

function rangeOf(setting: NumberSetting): string {
  const { min, max } = limitsOf(setting);
  return setting.max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`;
}

function parseInteger(text: string, rule: Limits & { readonly expected: string }): Parsed {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value >= rule.min && value <= rule.max ? { value } : { expected: rule.expected };
}

function parseQuantity(
  setting: NumberSetting,
  text: string,
  rule: { readonly units: Readonly<Record<string, number>>; readonly expected: string },
): Parsed {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-zA-Z]{0,3})$/.exec(text);
  const amount = Number(match?.[1] ?? Number.NaN);
  // A bare 0 needs no unit; any other bare duration would leave seconds or milliseconds to a guess.
  const factor = amount === 0 && match?.[2] === '' ? 1 : rule.units[match?.[2] ?? ''];
  const value = Math.round(amount * (factor ?? Number.NaN));
  const { min, max } = limitsOf(setting);
  if (Number.isSafeInteger(value) && value >= min && value <= max) return { value };
  const unit = setting.kind === 'duration' ? 'ms' : 'B';
  const range =
    setting.min === undefined && setting.max === undefined ? '' : ` (${rangeText(setting, unit)})`;
  return { expected: rule.expected + range };
}

function rangeText(setting: NumberSetting, unit: string): string {
  const { min, max } = limitsOf(setting);
  return setting.max === undefined ? `at least ${min}${unit}` : `from ${min}${unit} to ${max}${unit}`;
}
