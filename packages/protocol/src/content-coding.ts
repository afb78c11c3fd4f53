import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';

export interface DecodedContent {
  bytes: Buffer;
  /** The decoded content is longer than allowed; `bytes` holds a beginning of it. */
  truncated: boolean;
}

/** Throws what zlib throws; `undefined`: not worth decoding. */
type Decode = (bytes: Buffer, maxBytes: number) => Buffer | undefined;

/** More codings than this in one header are an attack, not a stack. */
const MAX_CODINGS = 4;
/** Attempts to find how much of the input fits when all of it does not. */
const TRUNCATION_STEPS = 8;

/** Every frame costs a decoder; nobody sends more than a few. */
const MAX_ZSTD_FRAMES = 256;
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush: ZSTD_FLUSH } = constants;
// A flushing finish makes zlib return what there is when the input stops early.
const inflateOptions = (maxBytes: number) => ({ finishFlush: Z_SYNC_FLUSH, maxOutputLength: maxBytes });

const gunzip: Decode = (bytes, maxBytes) => gunzipSync(bytes, inflateOptions(maxBytes));

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // RFC 9110: "deflate" is the zlib format, but some servers send the bare deflate stream.
  deflate: (bytes, maxBytes) =>
    hasZlibHeader(bytes)
      ? inflateSync(bytes, inflateOptions(maxBytes))
      : inflateRawSync(bytes, inflateOptions(maxBytes)),
  br: (bytes, maxBytes) =>
    brotliDecompressSync(bytes, { finishFlush: BROTLI_OPERATION_FLUSH, maxOutputLength: maxBytes }),
  zstd: unzstd,
};

/**
 * Undoes a Content-Encoding: gzip, deflate, br, zstd, identity or a list of them. Input that stops early gives what
 * there is. At most `maxBytes` are returned, however small the input.
 * `undefined`: an unknown coding, or bytes that are not what the header says.
 */
export function decodeContent(
  encoding: string | undefined,
  bytes: Buffer,
  maxBytes: number,
): DecodedContent | undefined {
  const codings = (encoding ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MAX_CODINGS) return undefined;
  let content: DecodedContent = { bytes, truncated: false };
  for (const coding of codings.toReversed()) {
    const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    const decoded = decode === undefined ? undefined : decodeWithin(decode, content.bytes, maxBytes);
    if (decoded === undefined) return undefined;
    content = { bytes: decoded.bytes, truncated: content.truncated || decoded.truncated };
  }
  if (content.bytes.length <= maxBytes) return content;
  return { bytes: content.bytes.subarray(0, maxBytes), truncated: true };
}

function decodeWithin(decode: Decode, bytes: Buffer, maxBytes: number): DecodedContent | undefined {
  if (bytes.length === 0) return { bytes, truncated: false };
  try {
    const decoded = decode(bytes, maxBytes);
    return decoded && { bytes: decoded, truncated: false };
  } catch (error) {
    if (!isTooLarge(error)) return undefined;
  }
  return { bytes: decodeBeginning(decode, bytes, maxBytes), truncated: true };
}

/** The sync decoders keep nothing when they hit the limit, but they take cut input: search how much of it fits. */
function decodeBeginning(decode: Decode, bytes: Buffer, maxBytes: number): Buffer {
  let fits = 0;
  let tooLong = bytes.length;
  let best: Buffer = Buffer.alloc(0);
  for (let step = 0; step < TRUNCATION_STEPS && tooLong - fits > 1; step++) {
    const middle = Math.floor((fits + tooLong) / 2);
    try {
      best = decode(bytes.subarray(0, middle), maxBytes) ?? best;
      fits = middle;
    } catch {
      tooLong = middle;
    }
  }
  return best;
}

/** Zstandard content may be several frames, of which Node decodes the first. */
function unzstd(bytes: Buffer, maxBytes: number): Buffer | undefined {
  const frames: Buffer[] = [];
  let rest = bytes;
  let room = maxBytes;
  do {
    if (frames.length === MAX_ZSTD_FRAMES) return undefined;
    const options = { finishFlush: ZSTD_FLUSH, maxOutputLength: Math.max(room, 1), info: true };
    // With `info` the result is an object, which the type declarations do not know.
    const { buffer, engine } = zstdDecompressSync(rest, options) as unknown as ZlibInfo;
    frames.push(buffer);
    room -= buffer.length;
    rest = rest.subarray(engine.bytesWritten);
  } while (rest.length >= 4 && ZSTD_MAGIC.equals(rest.subarray(0, 4)));
  return Buffer.concat(frames);
}

interface ZlibInfo {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

function hasZlibHeader(bytes: Buffer): boolean {
  const [first = 0, second = 0] = bytes;
  return (first & 0x0f) === 8 && first >> 4 <= 7 && ((first << 8) | second) % 31 === 0;
}
