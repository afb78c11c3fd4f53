import { ConfigError } from '../errors.ts';
import { findNearMisses } from './near-miss.ts';
import { parseValue } from './parse-value.ts';
import { isSecret } from './table.ts';
import type { ConfigOf, ConfigTable, Environment, Setting } from './table.ts';

export interface ReadConfigOptions {
  /** Folder against which relative paths are resolved; the working directory when absent. */
  readonly baseDir?: string;
  /** Names other programs of ours read, so that they are not taken for misspelt ones. */
  readonly alsoKnown?: readonly string[];
}

export interface ReadConfigResult<T extends ConfigTable> {
  readonly config: ConfigOf<T>;
  /** One line each, without any value: misspelt names and settings without effect. To be logged once. */
  readonly warnings: readonly string[];
}

/**
 * Reads the declared settings, and nothing else, from an environment. An empty variable counts as unset, because
 * Compose and shells pass `NAME=` for one that was never given.
 *
 * @throws {ConfigError} names every unusable setting in one line; values of secrets never appear
 */
export function readConfig<const T extends ConfigTable>(
  table: T,
  env: Environment,
  options: ReadConfigOptions = {},
): ReadConfigResult<T> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [property, setting] of Object.entries(table)) {
    values[property] = readSetting(setting, env, { baseDir: options.baseDir ?? '.', problems });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const warnings = [...misspelt(table, env, options.alsoKnown ?? []), ...withoutEffect(table, env)];
  return { config: values as ConfigOf<T>, warnings };
}

interface ReadContext {
  readonly baseDir: string;
  readonly problems: string[];
}

function readSetting(setting: Setting, env: Environment, context: ReadContext): unknown {
  if (setting.kind === 'family') return readFamily(setting.env, env);
  const given = env[setting.env];
  const text = given === undefined || given.trim() === '' ? setting.default : given.trim();
  if (text === undefined) {
    if (setting.required) context.problems.push(`${setting.env} is not set: ${setting.description}`);
    return undefined;
  }
  const parsed = parseValue(setting, text, context.baseDir);
  if ('value' in parsed) return parsed.value;
  const shown = isHidden(setting, text) ? '' : `, not ${JSON.stringify(shorten(text))}`;
  context.problems.push(`${setting.env} must be ${parsed.expected}${shown}`);
  return undefined;
}

/** A URL that cannot be read may hold a credential all the same. */
function isHidden(setting: Setting, text: string): boolean {
  return isSecret(setting) || (setting.kind === 'url' && /[@?]/.test(text));
}

function readFamily(pattern: string, env: Environment): Readonly<Record<string, string>> {
  const entries = familyNames(pattern, env).map((name) => [name, env[name] ?? '']);
  return Object.fromEntries(entries) as Record<string, string>;
}

function familyNames(pattern: string, env: Environment): string[] {
  const prefix = pattern.slice(0, -1);
  return Object.keys(env).filter((name) => name.startsWith(prefix) && isSet(name, env));
}

function isSet(name: string, env: Environment): boolean {
  return (env[name] ?? '').trim() !== '';
}

function misspelt(table: ConfigTable, env: Environment, alsoKnown: readonly string[]): string[] {
  const declared = Object.values(table).map((setting) => setting.env);
  const known = new Set(alsoKnown);
  const candidates = Object.keys(env).filter((name) => isSet(name, env) && !known.has(name));
  return findNearMisses(declared, candidates).map(
    (miss) => `${miss.present} is not a setting and was ignored; did you mean ${miss.declared}?`,
  );
}

function withoutEffect(table: ConfigTable, env: Environment): string[] {
  return Object.values(table)
    .filter((setting) => setting.notBuiltYet === true)
    .flatMap((setting) => {
      if (setting.kind === 'family') return familyNames(setting.env, env);
      // Somebody who writes the default down (as templates do) asks for nothing.
      return isSet(setting.env, env) && env[setting.env]?.trim() !== setting.default ? [setting.env] : [];
    })
    .map((name) => `${name} is accepted but has no effect yet`);
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}
