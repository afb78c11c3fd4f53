import { InvalidIdError } from './errors.ts';

export interface IdSource {
  /** Clock in milliseconds since the epoch. */
  now: () => number;
  /** `size` random bytes. */
  random: (size: number) => Uint8Array;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_COUNTER = 0xfff;

/**
 * Makes UUIDv7 texts that sort in the order they were made. Within a millisecond (or while the clock stands behind
 * what it showed before) the 12 bits after the time count up, from a random start so that processes differ; when
 * they run out, the time field runs ahead of the clock (RFC 9562, section 6.2, method 1).
 */
export function createIdFactory({ now, random }: IdSource): () => string {
  let lastTime = -1;
  let counter = 0;
  return () => {
    const bytes = Buffer.from(random(10));
    const time = Math.floor(now());
    if (time > lastTime) {
      lastTime = time;
      // The upper half stays free to count in.
      counter = bytes.readUInt16BE(8) & (MAX_COUNTER >> 1);
    } else if (counter < MAX_COUNTER) {
      counter++;
    } else {
      lastTime++;
      counter = 0;
    }
    const id = Buffer.alloc(16);
    id.writeUIntBE(lastTime, 0, 6);
    id.writeUInt16BE(0x7000 | counter, 6);
    bytes.copy(id, 8, 0, 8);
    id.writeUInt8(0x80 | (id.readUInt8(8) & 0x3f), 8);
    return formatUuid(id);
  };
}

/** The 16 bytes of a UUID text. Throws InvalidIdError. */
export function uuidToBuffer(id: string): Buffer {
  if (!UUID.test(id)) throw new InvalidIdError('wrong form');
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

/** The lower-case text of a UUID in 16 bytes. Throws InvalidIdError. */
export function bufferToUuid(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new InvalidIdError(`${bytes.length} bytes instead of 16`);
  return formatUuid(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** The time a UUIDv7 was made, in milliseconds since the epoch. Throws InvalidIdError. */
export function uuidTime(id: string): number {
  if (!UUID.test(id)) throw new InvalidIdError('wrong form');
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
