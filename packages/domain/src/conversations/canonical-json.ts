interface Frame {
  values: readonly unknown[];
  keys?: readonly string[];
  next: number;
  /** Leave `cache_control` out; not inside a tool's input, where it would be the tool's own argument. */
  dropCacheControl: boolean;
}

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
  const members = new Map<string, unknown>(Object.entries(value));
  if (dropCacheControl) members.delete('cache_control');
  const keys = [...members.keys()].toSorted();
  out.push(`{${keys.length}:`);
  return { values: keys.map((key) => members.get(key)), keys, next: 0, dropCacheControl };
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
