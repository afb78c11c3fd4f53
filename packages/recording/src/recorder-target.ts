/** Stands where a value stood that is not stored. */
const HIDDEN = '***';

/** Parameters of the Messages, Models and Files APIs; none of them is a credential. */
const KEPT_PARAMETERS: ReadonlySet<string> = new Set([
  'beta',
  'limit',
  'after_id',
  'before_id',
  'page',
  'order',
  'scope_id',
]);
const PLAIN_NAME = /^[\w.\-[\]]{1,64}$/;
const PLAIN_VALUE = /^[\w.:,%+-]{0,128}$/;
const CREDENTIAL = /(?<![A-Za-z0-9])sk-[\w-]{6,}/g;
const MAX_TARGET_CHARACTERS = 4096;

/**
 * The request target as stored: the path, and of the query the parameter names with the values of known parameters.
 * A client may put a credential into any other parameter.
 */
export function storedTarget(target: string): string {
  const mark = target.indexOf('?');
  const path = hideCredentials(mark < 0 ? target : target.slice(0, mark)).slice(0, MAX_TARGET_CHARACTERS);
  if (mark < 0) return path;
  const query = target.slice(mark + 1);
  // What nearly every request of the client carries.
  if (query === 'beta=true') return `${path}?beta=true`;
  const stored = query.split('&').map((parameter) => storedParameter(parameter));
  return `${path}?${stored.join('&')}`.slice(0, MAX_TARGET_CHARACTERS);
}

function storedParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  const name = equals < 0 ? parameter : parameter.slice(0, equals);
  const value = equals < 0 ? undefined : parameter.slice(equals + 1);
  if (KEPT_PARAMETERS.has(name)) {
    if (value === undefined) return name;
    return PLAIN_VALUE.test(value) ? `${name}=${hideCredentials(value)}` : `${name}=${HIDDEN}`;
  }
  if (name === '' && value === undefined) return '';
  // A parameter without a value may be a credential itself.
  if (value === undefined || !PLAIN_NAME.test(name)) return HIDDEN;
  return `${hideCredentials(name)}=${HIDDEN}`;
}

/** Replaces what has the shape of an API key. */
function hideCredentials(text: string): string {
  return text.includes('sk-') ? text.replace(CREDENTIAL, HIDDEN) : text;
}
