import { ConfigError } from '../errors.ts';
import { editDistance } from './near-miss.ts';
import type { ConfigTable, Setting } from './table.ts';

export interface Flags {
  /** The settings given as flags, by environment name; they go over the environment. */
  readonly overrides: Readonly<Record<string, string>>;
  /** `--help` or `-h` was given. */
  readonly help: boolean;
}

/**
 * Reads the command line. A flag is another spelling of a setting that declares one; a boolean setting takes no
 * value. (`--env-file` is a flag of Node itself and comes before the program's file name.)
 *
 * @param argv without the interpreter and the program: `process.argv.slice(2)`
 * @throws {ConfigError} on an unknown flag, a missing value or a stray word, in one line
 */
export function readFlags(table: ConfigTable, argv: readonly string[]): Flags {
  const settings = new Map<string, Setting>();
  for (const setting of Object.values(table)) {
    if (setting.flag !== undefined) settings.set(setting.flag, setting);
  }
  const overrides: Record<string, string> = {};
  let help = false;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const setting = settings.get(name);
    if (word === '--help' || word === '-h') {
      help = true;
    } else if (setting === undefined) {
      throw new ConfigError([unknownFlag(name, [...settings.keys()])]);
    } else if (equals >= 0) {
      overrides[setting.env] = word.slice(equals + 1);
    } else if (setting.kind === 'boolean') {
      overrides[setting.env] = 'true';
    } else {
      index += 1;
      overrides[setting.env] = valueAfter(name, argv[index]);
    }
  }
  return { overrides, help };
}

function valueAfter(name: string, next: string | undefined): string {
  if (next === undefined || next.startsWith('--')) {
    throw new ConfigError([`${name} needs a value: ${name}=VALUE`]);
  }
  return next;
}

function unknownFlag(name: string, known: readonly string[]): string {
  // A stray word may be a pasted key: only what looks like a flag is repeated.
  const shown = /^--?[a-z][a-z-]{0,30}$/.test(name) ? `unknown flag ${name}` : 'unexpected argument';
  const near = known.find((candidate) => editDistance(candidate, name) <= 2);
  if (near !== undefined) return `${shown}; did you mean ${near}?`;
  return known.length === 0
    ? `${shown}; settings are environment variables, see --help`
    : `${shown}; see --help`;
}
