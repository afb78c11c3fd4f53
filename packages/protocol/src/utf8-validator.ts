import { isUtf8 } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

/** Checks a byte stream for valid UTF-8, whatever the places where it is cut into chunks. */
export class Utf8Validator {
  #carry = NOTHING;
  #valid = true;

  get valid(): boolean {
    return this.#valid;
  }

  push(chunk: Buffer): void {
    if (!this.#valid) return;
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    const complete = bytes.length - unfinishedLength(bytes);
    this.#valid = isUtf8(bytes.subarray(0, complete));
    // A copy: the chunk itself may be a slice of a large or reused buffer.
    this.#carry = complete === bytes.length ? NOTHING : Buffer.from(bytes.subarray(complete));
  }

  /** Call after the last chunk: a character that never became complete makes the stream invalid. */
  end(): void {
    if (this.#carry.length > 0) this.#valid = false;
  }
}

/** Number of bytes (0 to 3) at the end that begin a character whose remaining bytes are not there yet. */
function unfinishedLength(bytes: Buffer): number {
  const furthest = Math.min(3, bytes.length);
  for (let back = 1; back <= furthest; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return byte >= (UNFINISHED_LEAD[back] ?? 0xff) ? back : 0;
  }
  return 0;
}

/** Index: bytes present; value: smallest lead byte that announces more than those. */
const UNFINISHED_LEAD = [0, 0xc0, 0xe0, 0xf0];
