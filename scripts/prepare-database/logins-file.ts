import { LoginsFileError } from './errors.ts';

/** One login as it is to be. */
export interface WantedLogin {
  readonly name: string;
  readonly group: 'nexus_writer' | 'nexus_reader';
  readonly password: string;
  readonly enabled: boolean;
}

const GROUPS = ['nexus_writer', 'nexus_reader'];
const FIELDS = ['name', 'group', 'password', 'enabled'];
const RESERVED = new Set(['nexus_owner', ...GROUPS]);

/** Each field with what it must be. */
export const LOGIN_RULES: readonly (readonly [string, (value: unknown) => boolean, string])[] = [
  [
    'name',
    (value) => matches(value, /^[a-z_][a-z0-9_]{0,62}$/) && !RESERVED.has(String(value)),
    'a role name of small letters, digits and _ that is no group role',
  ],
  ['group', (value) => GROUPS.includes(String(value)), GROUPS.join(' or ')],
  [
    'password',
    (value) => matches(value, /^[\x21-\x7e]{16,200}$/),
    '16 to 200 characters of ASCII without spaces',
  ],
  ['enabled', (value) => typeof value === 'boolean', 'true or false'],
];

/**
 * Reads the logins of a file: a JSON array of `{name, group, password, enabled}`.
 *
 * @throws {LoginsFileError} one line with the first field that is wrong
 */
export function parseLogins(text: string): readonly WantedLogin[] {
  const content = parseArray(text);
  content.forEach((entry, index) => check(entry, index));
  const logins = content as readonly WantedLogin[];
  const names = logins.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new LoginsFileError(`names ${twice} twice; keep one of the entries`);
  return logins;
}

function parseArray(text: string): readonly unknown[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // Not passed on as cause: the parser's message quotes the text around the error, which may be a password.
    throw new LoginsFileError('is not valid JSON; write an array of {name, group, password, enabled}');
  }
  if (!Array.isArray(content)) {
    throw new LoginsFileError('must hold an array of {name, group, password, enabled}');
  }
  return content as readonly unknown[];
}

function check(entry: unknown, index: number): void {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    throw new LoginsFileError(`entry [${index}] must be an object {name, group, password, enabled}`);
  }
  const fields = entry as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(fields).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) {
    throw new LoginsFileError(`entry [${index}] has a field that is none of ${FIELDS.join(', ')}; remove it`);
  }
  for (const [field, isRight, expected] of LOGIN_RULES) {
    if (!isRight(fields[field])) throw new LoginsFileError(`field "[${index}].${field}" must be ${expected}`);
  }
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
