/** Stands where a secret stood. */
export const REDACTED = '[redacted]';

/**
 * Property and header names whose value never reaches a sink, compared without case, dashes and underscores:
 * `x-api-key`, `xApiKey` and `X_API_KEY` are one name.
 */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'xapikey',
  'apikey',
  'clientapikey',
  'xdashboardkey',
  'dashboardapikey',
  'accounthashkey',
  'cookie',
  'setcookie',
  'password',
  'secret',
  'token',
  'accesstoken',
  'refreshtoken',
  'clientsecret',
  'credential',
  'credentials',
  'webhookurl',
  'slackwebhookurl',
  'xclaudecodemanagedsettingschecksum',
  'databaseurl',
]);

/** What gives a secret away inside running text, wherever it turns up. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\bsk-[A-Za-z0-9_-]{6,}/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@]{0,200}):[^\s/@]{1,500}@/gi, `$1:${REDACTED}@`],
  [/(https:\/\/hooks\.slack\.com\/)\S+/gi, `$1${REDACTED}`],
  [
    /\b(x-api-key|authorization|proxy-authorization|cookie)(["']?\s*[:=]\s*["']?)[^\s"',;]{1,500}/gi,
    `$1$2${REDACTED}`,
  ],
];

const MAX_DEPTH = 8;
const MAX_TEXT = 16_384;

/** Replaces whatever looks like a credential in running text; very long text is cut. */
export function redactText(text: string): string {
  let result = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}... [${text.length} characters]` : text;
  for (const [pattern, replacement] of SECRET_TEXT) result = result.replace(pattern, replacement);
  return result;
}

/** True when values under this property or header name must not be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}

/**
 * A copy of a value that is safe to write anywhere: secrets replaced by name and by pattern, errors as plain
 * objects, bytes as their length, cycles and excess depth cut.
 */
export function redactValue(value: unknown): unknown {
  return redact(value, { depth: 0, ancestors: [] });
}

interface Position {
  readonly depth: number;
  readonly ancestors: readonly object[];
}

function redact(value: unknown, position: Position): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (position.ancestors.includes(value)) return '[circular]';
  if (position.depth >= MAX_DEPTH) return '[too deep]';
  const inner: Position = { depth: position.depth + 1, ancestors: [...position.ancestors, value] };
  if (value instanceof Error) return redactError(value, inner);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (Array.isArray(value)) return redactList(value, inner);
  if (value instanceof Map || value instanceof Set) return redact([...value], position);
  return redactProperties(Object.entries(value), inner);
}

/** A flat header list (name, value, name, value, ...) hides its secrets by position, not by property name. */
function redactList(list: readonly unknown[], inner: Position): unknown[] {
  return list.map((item, index) => {
    const before: unknown = index > 0 ? list[index - 1] : undefined;
    return typeof before === 'string' && isSecretName(before) ? REDACTED : redact(item, inner);
  });
}

function redactProperties(entries: readonly [string, unknown][], inner: Position): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const hidden = isSecretName(name) && value !== undefined && value !== null && typeof value !== 'boolean';
    result[name] = hidden ? REDACTED : redact(value, inner);
  }
  return result;
}

function redactError(error: Error, inner: Position): Record<string, unknown> {
  return {
    type: error.name,
    message: redactText(error.message),
    stack: error.stack === undefined ? undefined : redactText(error.stack),
    // Own fields such as `code`, `problems` or `constraint` say more than the message does.
    ...redactProperties(
      Object.entries(error).filter(([name]) => name !== 'name' && name !== 'stack'),
      inner,
    ),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, inner) }),
  };
}
