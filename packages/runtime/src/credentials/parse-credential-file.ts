import { Errors } from 'typebox/value';

import { CredentialFileError } from '../errors.ts';
import { ApiKeyCredentialSchema, OauthCredentialSchema } from './schema.ts';
import type { CredentialFile } from './schema.ts';

const SCHEMAS = { api_key: ApiKeyCredentialSchema, oauth: OauthCredentialSchema } as const;

/** Texts that end up as a key when a template or a script had nothing to fill in. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  'undefined',
  '[object object]',
  'changeme',
  'your-api-key',
]);

/**
 * Reads and checks one credential file.
 *
 * @param fileName name without the folder, for messages
 * @throws {CredentialFileError} one line that names the file, the field and the fix, never a value
 */
export function parseCredentialFile(text: string, fileName: string): CredentialFile {
  const content = parseObject(text, fileName);
  const schema = SCHEMAS[content['type'] as keyof typeof SCHEMAS];
  if (schema === undefined || !Object.hasOwn(SCHEMAS, content['type'] as string)) {
    throw new CredentialFileError(fileName, 'field "type" must be "api_key" or "oauth"');
  }
  const problem = firstProblem(schema, content) ?? contradiction(content as unknown as CredentialFile);
  if (problem !== undefined) throw new CredentialFileError(fileName, problem);
  return content as unknown as CredentialFile;
}

function parseObject(text: string, fileName: string): Record<string, unknown> {
  let content: unknown;
  try {
    // A byte order mark comes from Windows editors and says nothing.
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // Not passed on as cause: the parser's message quotes the text around the error, which may be a key.
    throw new CredentialFileError(fileName, 'is not valid JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new CredentialFileError(fileName, 'must hold one JSON object');
  }
  return content as Record<string, unknown>;
}

type Problem = ReturnType<typeof Errors>[number];

function firstProblem(
  schema: (typeof SCHEMAS)[keyof typeof SCHEMAS],
  content: Record<string, unknown>,
): string | undefined {
  const problems = Errors(schema, content);
  const unknown = problems.find((problem) => problem.keyword === 'additionalProperties') ?? problems[0];
  return unknown === undefined ? undefined : explain(unknown);
}

function explain(problem: Problem): string {
  const field = fieldName(problem.instancePath);
  const params = problem.params as Readonly<Record<string, unknown>>;
  if (problem.keyword === 'additionalProperties') {
    const names = namesOf(params['additionalProperties']);
    return `unknown field ${names.map((name) => quoted(field, name)).join(', ')}; remove it or correct its name`;
  }
  if (problem.keyword === 'required') {
    return `field ${namesOf(params['requiredProperties'])
      .map((name) => quoted(field, name))
      .join(', ')} is missing`;
  }
  if (problem.keyword === 'pattern') return `field ${quoted(field)} has a form or characters it may not have`;
  return `field ${quoted(field)} ${problem.message}`;
}

function namesOf(names: unknown): string[] {
  return Array.isArray(names) ? names.map(String) : [];
}

/** `/client_keys/0/key` -> `client_keys[0].key` */
function fieldName(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    );
}

function quoted(field: string, name?: string): string {
  const parts = [field, name ?? ''].filter((part) => part !== '');
  return JSON.stringify(parts.join('.').slice(0, 100));
}

/** What the schema cannot say. */
function contradiction(file: CredentialFile): string | undefined {
  return apiKeyContradiction(file) ?? clientKeyContradiction(file) ?? pathContradiction(file);
}

function apiKeyContradiction(file: CredentialFile): string | undefined {
  if (file.type !== 'api_key') return undefined;
  if (file.api_key === undefined && file.api_key_file === undefined) {
    return 'one of the fields "api_key" and "api_key_file" is needed';
  }
  if (file.api_key !== undefined && file.api_key_file !== undefined) {
    return 'fields "api_key" and "api_key_file" exclude each other; keep one';
  }
  return file.api_key !== undefined && isPlaceholder(file.api_key)
    ? 'field "api_key" holds a placeholder, not a key'
    : undefined;
}

function clientKeyContradiction(file: CredentialFile): string | undefined {
  const keys = clientKeysOf(file);
  if (new Set(keys.map(({ name }) => name)).size < keys.length) {
    return 'field "client_keys" names two keys alike ("default" is the name of "client_api_key"); rename one';
  }
  if (new Set(keys.map(({ key }) => key)).size < keys.length) {
    return 'field "client_keys" holds the same key twice; give each its own';
  }
  if (keys.some(({ key }) => isPlaceholder(key))) return 'a client key is a placeholder, not a key';
  const upstream = file.type === 'api_key' ? file.api_key : file.oauth.accessToken;
  return keys.some(({ key }) => key === upstream)
    ? 'a client key equals the upstream credential, which clients must never hold; generate another'
    : undefined;
}

function pathContradiction(file: CredentialFile): string | undefined {
  return (file.allowed_paths ?? []).every(isPlainPath)
    ? undefined
    : 'field "allowed_paths" takes plain paths such as "/v1/files" and folders such as "/v1/files/*"';
}

/** No empty, `.` or `..` segment, and `*` only as the last one. */
function isPlainPath(path: string): boolean {
  const folder = path.endsWith('/*') ? path.slice(0, -2) : path;
  return (
    !folder.includes('*') &&
    !folder
      .split('/')
      .slice(1)
      .some((segment) => /^\.{0,2}$/.test(segment))
  );
}

function isPlaceholder(key: string): boolean {
  return PLACEHOLDERS.has(key.toLowerCase()) || /^(<.*>|\$\{.*\}|replace-with-.*)$/.test(key);
}

/** All keys that open a domain, `client_api_key` under the name `default`. */
export function clientKeysOf(
  file: CredentialFile,
): readonly { readonly name: string; readonly key: string }[] {
  const single = file.client_api_key === undefined ? [] : [{ name: 'default', key: file.client_api_key }];
  return [...single, ...(file.client_keys ?? [])];
}
