interface Frame {
  values: readonly unknown[];
  keys?: readonly string[];
  next: number;
  /** Leave `cache_control` out; not inside a tool's input, where it would be the tool's own argument. */
  dropCacheControl: boolean;
}

const FEW_KEYS = 16;

/**
 * Appends an encoding of a JSON value to `out` that is equal for equal values only: every string carries its length,
 * every container its size, keys are sorted. Block-level `cache_control` is left out. Works without recursion:
 * a body may be nested as deep as it is long.
 */
export function encodeCanonically(value: unknown, out: string[]): void {
  const root: Frame = { values: [value], next: 0, dropCacheControl: true };
  const open = [root];
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    if (frame.next === frame.values.length) {
      open.pop();
      continue;
    }
    const key = frame.keys?.[frame.next];
    if (key !== undefined) encodeString(key, out);
    const child = frame.values[frame.next++];
    const drop = frame.dropCacheControl && key !== 'input';
    if (Array.isArray(child)) {
      out.push(`[${child.length}:`);
      open.push({ values: child, next: 0, dropCacheControl: drop });
    } else if (typeof child === 'object' && child !== null) {
      open.push(openObject(child, drop, out));
    } else {
      encodeAtom(child, out);
    }
  }
}

function openObject(value: object, dropCacheControl: boolean, out: string[]): Frame {
  const members = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(members);
  const dropped = dropCacheControl ? keys.indexOf('cache_control') : -1;
  if (dropped !== -1) keys.splice(dropped, 1);
  sortKeys(keys);
  out.push(`{${keys.length}:`);
  return { values: keys.map((key) => members[key]), keys, next: 0, dropCacheControl };
}

/** In place; most objects have a handful of keys, for which setting up a general sort costs more than sorting. */
function sortKeys(keys: string[]): void {
  if (keys.length > FEW_KEYS) keys.sort();
  else {
    for (let i = 1; i < keys.length; i++) {
      const key = keys[i] as string;
      let at = i;
      for (; at > 0 && (keys[at - 1] as string) > key; at--) keys[at] = keys[at - 1] as string;
      keys[at] = key;
    }
  }
}

function encodeAtom(value: unknown, out: string[]): void {
  if (typeof value === 'string') encodeString(value, out);
  else if (typeof value === 'number') out.push(`#${value};`);
  else if (typeof value === 'boolean') out.push(value ? 't' : 'f');
  else out.push('0');
}

/** The length makes the encoding unambiguous; lone surrogates would all become one character in UTF-8. */
export function encodeString(text: string, out: string[]): void {
  if (text.isWellFormed()) out.push(`"${text.length}:`, text);
  else out.push(`'${text.length}:`, JSON.stringify(text));
}
