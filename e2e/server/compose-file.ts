import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';

import { ROOT } from '../fixtures/program.ts';

/** What the tests look at in a service of compose.yaml. */
export interface ComposeService {
  readonly image: string;
  readonly pull_policy?: string;
  readonly build?: { readonly target: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly restart: string;
  readonly cap_add?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
}

/** compose.yaml with its variables put in. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** A `${NAME}` of the file. */
export interface ComposeVariable {
  readonly name: string;
  readonly required: boolean;
  /** Undefined where a value is required. */
  readonly fallback: string | undefined;
}

const VARIABLE = /\$\{(?<name>\w+)(?::(?<kind>[-?])(?<text>[^}]*))?\}/g;

/** The file as it stands. */
export async function composeText(): Promise<string> {
  return readFile(path.join(ROOT, 'compose.yaml'), 'utf8');
}

/** Every variable of the file, once. */
export async function composeVariables(): Promise<ComposeVariable[]> {
  const found = new Map<string, ComposeVariable>();
  for (const { groups } of (await composeText()).matchAll(VARIABLE)) {
    const { name = '', kind, text } = groups ?? {};
    found.set(name, { name, required: kind === '?', fallback: kind === '?' ? undefined : (text ?? '') });
  }
  return [...found.values()];
}

/**
 * Reads the file as Compose does: YAML first, then the variables in its texts.
 *
 * @throws Error with the variable's name and message where a required one is not set
 */
export async function readCompose(env: Readonly<Record<string, string | undefined>>): Promise<ComposeFile> {
  const file: unknown = parse(await composeText(), { merge: true });
  return interpolated(file, env) as ComposeFile;
}

function interpolated(value: unknown, env: Readonly<Record<string, string | undefined>>): unknown {
  if (typeof value === 'string') return withVariables(value, env);
  if (Array.isArray(value)) return value.map((item) => interpolated(item, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolated(item, env)]));
}

function withVariables(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const rest = text.replaceAll(VARIABLE, '');
  if (rest.includes('$')) throw new Error(`a form of variable these tests do not know: ${rest}`);
  return text.replaceAll(VARIABLE, (_whole, name: string, kind?: string, fallback = '') => {
    const value = env[name] ?? '';
    if (value === '' && kind === '?')
      throw new Error(`required variable ${name} is missing a value: ${fallback}`);
    return value === '' ? fallback : value;
  });
}

/** Seconds of a duration such as 300s or 2m. */
export function seconds(duration: string): number {
  const [, amount, unit] = /^(\d+)([sm])$/.exec(duration) ?? [];
  return Number(amount) * (unit === 'm' ? 60 : 1);
}
