/** Text kept of earlier frames. Twice as much takes a third longer to load and saves two per cent. */
const TEXT_BYTES = 16 * 1024;
/** Of a long frame its beginning is kept too: headers, which every frame has. */
const OPENING_BYTES = 1536;

/**
 * The text that frames based on this one are compressed against: the latest of what it holds and, where it does not
 * fill the room alone, of what it was compressed against itself. Part of the format, like a dictionary.
 *
 * @param plain the frame's plaintext
 * @param before the same of the frame it is based on
 */
export function baseText(plain: Buffer, before: Buffer | undefined): Buffer {
  if (plain.length > TEXT_BYTES) {
    return ownCopy([plain.subarray(0, OPENING_BYTES), plain.subarray(OPENING_BYTES - TEXT_BYTES)]);
  }
  if (before === undefined) return ownCopy([plain]);
  return ownCopy([before.subarray(Math.max(0, before.length + plain.length - TEXT_BYTES)), plain]);
}

/** Of memory of its own: it is kept for long, and a view would keep all of what it shows a part of. */
function ownCopy(parts: readonly Buffer[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(copy, at);
  return copy;
}
