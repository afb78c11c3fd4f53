import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { CutPiece } from './body-cutter.ts';
import { StoreError } from './errors.ts';
import {
  BASE_VERSION,
  CURRENT_FRAME_VERSION,
  FRAME_DICTIONARIES,
  SHORT_BASE_VERSION,
} from './frame-dictionary.ts';
import type { Scratch } from './scratch.ts';

/** A frame, read: its plaintext holds the pieces at the offsets their rows give. */
export interface Frame {
  /** What was put in as `meta`. */
  meta: unknown;
  sections: Map<string, Buffer>;
  /** The whole plaintext. */
  bytes: Buffer;
}

interface FrameContents {
  /** Any JSON value. */
  meta: unknown;
  sections?: Readonly<Record<string, Uint8Array>>;
  pieces: readonly CutPiece[];
  /** Text of an earlier frame, see `baseText`; it has to be given again to decode the frame. */
  base?: Buffer | undefined;
}

/** A frame, packed. */
export interface EncodedFrame {
  data: Buffer;
  /** Offset of each piece in the plaintext, in the order given. */
  offsets: number[];
  /** Valid until the scratch memory it was built in is taken again, if it was. */
  plain: Buffer;
  /** Whether `base` was used: a long frame does without. */
  isBased: boolean;
}

const LENGTH_BYTES = 4;
/** Level 3 takes a tenth longer and saves less than a hundredth of what a session needs. */
const COMPRESSION_LEVEL = 1;
/** Smaller tables than the level's own: filling those from a dictionary would cost more than they find. */
const SHORT_TABLES = { [constants.ZSTD_c_hashLog]: 14, [constants.ZSTD_c_chainLog]: 13 };

/** Version of a frame without a dictionary. */
const NO_DICTIONARY = 0;

/** A longer plaintext soon holds all a dictionary could tell, and compresses better and faster without one. */
const DICTIONARY_LIMIT_BYTES = 32 * 1024;

/** A short plaintext is packed against less of its base: taking in all of it would cost more than packing it. */
const SHORT_BYTES = 3 * 1024;
const SHORT_BASE_BYTES = 4 * 1024;

/** Bounds of the buffers the compressor writes to. */
const SMALLEST_CHUNK_BYTES = 1024;
const LARGEST_CHUNK_BYTES = 128 * 1024;

/** A body of 32 MB with its answer and some room; more cannot have been written. */
const DEFAULT_LIMIT_BYTES = 128 * 1024 * 1024;

/**
 * Packs what is new with one request or answer: a byte for the version, which tells the dictionary (0: none, 255 and 254: the
 * base), then zstd of `[u32le length of contents][contents, JSON][sections][pieces]`.
 *
 * The contents are `{ meta, sections: { name: [offset, length] } }`, offsets counted from their own end so that they
 * do not depend on how long they are. Sections may be empty and keep their names.
 *
 * @param scratch where to build the plaintext, which is otherwise in memory of its own
 */
export function encodeFrame(
  { meta, sections = {}, pieces, base }: FrameContents,
  scratch?: Scratch,
): EncodedFrame {
  const places: Record<string, [number, number]> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of Object.entries(sections)) {
    places[name] = [at, bytes.length];
    parts.push(bytes);
    at += bytes.length;
  }
  const contents = Buffer.from(JSON.stringify({ meta, sections: places }));
  const prefix = Buffer.allocUnsafe(LENGTH_BYTES);
  prefix.writeUInt32LE(contents.length);
  at += LENGTH_BYTES + contents.length;
  const offsets = pieces.map(({ bytes }) => {
    const offset = at;
    parts.push(bytes);
    at += bytes.length;
    return offset;
  });
  const plain = join([prefix, contents, ...parts], scratch?.take(at) ?? Buffer.allocUnsafe(at));
  const version = versionFor(plain, base);
  const isBased = version === BASE_VERSION || version === SHORT_BASE_VERSION;
  return { data: compress(plain, version, base), offsets, plain, isBased };
}

function join(parts: readonly Uint8Array[], target: Buffer): Buffer {
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target;
}

function versionFor(plain: Buffer, base: Buffer | undefined): number {
  if (plain.length > DICTIONARY_LIMIT_BYTES) return NO_DICTIONARY;
  if (base === undefined) return CURRENT_FRAME_VERSION;
  return plain.length > SHORT_BYTES ? BASE_VERSION : SHORT_BASE_VERSION;
}

function compress(plain: Buffer, version: number, base: Buffer | undefined): Buffer {
  const compressed = zstdCompressSync(plain, {
    params: {
      [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL,
      // headers and timing have no hash of their own
      [constants.ZSTD_c_checksumFlag]: 1,
      ...(version === NO_DICTIONARY ? {} : SHORT_TABLES),
    },
    pledgedSrcSize: plain.length,
    // Half is usually enough, and a short buffer comes from Node's pool.
    chunkSize: Math.max(SMALLEST_CHUNK_BYTES, Math.min(plain.length >> 1, LARGEST_CHUNK_BYTES)),
    ...dictionaryOf(version, base),
  });
  return Buffer.concat([Buffer.of(version), compressed]);
}

function dictionaryOf(version: number | undefined, base: Buffer | undefined): { dictionary?: Buffer } {
  if (version === NO_DICTIONARY) return {};
  if (version === BASE_VERSION || version === SHORT_BASE_VERSION) {
    if (base === undefined) throw invalidFrame('the text it is based on is missing');
    return { dictionary: version === BASE_VERSION ? base : base.subarray(-SHORT_BASE_BYTES) };
  }
  const dictionary = FRAME_DICTIONARIES.get(version ?? NO_DICTIONARY);
  if (dictionary === undefined) throw invalidFrame(`version ${version} is not known`);
  return { dictionary };
}

/**
 * Unpacks a frame.
 *
 * @param options.limitBytes largest plaintext accepted
 * @param options.base the text it was encoded with, if it was
 * @throws StoreError NEXUS_FRAME_TOO_LARGE, NEXUS_FRAME_INVALID
 */
export function decodeFrame(
  data: Uint8Array,
  options: { limitBytes?: number; base?: Buffer | undefined } = {},
): Frame {
  const bytes = decompress(data, dictionaryOf(data[0], options.base), options.limitBytes);
  const start = LENGTH_BYTES + (bytes.length < LENGTH_BYTES ? Infinity : bytes.readUInt32LE(0));
  if (start > bytes.length) throw invalidFrame('its contents are cut off');
  const contents = parseContents(bytes.toString('utf8', LENGTH_BYTES, start));
  const sections = new Map<string, Buffer>();
  for (const [name, place] of Object.entries(contents.sections)) {
    const [offset, length] = place;
    if (offset < 0 || length < 0 || start + offset + length > bytes.length)
      throw invalidFrame(`section ${name} is cut off`);
    sections.set(name, bytes.subarray(start + offset, start + offset + length));
  }
  return { meta: contents.meta, sections, bytes };
}

function decompress(
  data: Uint8Array,
  dictionary: { dictionary?: Buffer },
  maxOutputLength = DEFAULT_LIMIT_BYTES,
): Buffer {
  try {
    return zstdDecompressSync(data.subarray(1), { maxOutputLength, ...dictionary });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new StoreError('NEXUS_FRAME_TOO_LARGE', `The frame holds more than ${maxOutputLength} bytes`, {
        cause,
      });
    }
    throw invalidFrame('it is not zstd', cause);
  }
}

function parseContents(text: string): { meta: unknown; sections: Record<string, [number, number]> } {
  try {
    const contents = JSON.parse(text) as { meta: unknown; sections: Record<string, [number, number]> };
    const places = Object.values(contents.sections);
    if (places.every((place) => Number.isSafeInteger(place[0]) && Number.isSafeInteger(place[1])))
      return contents;
  } catch (cause) {
    throw invalidFrame('its contents are not JSON of the expected shape', cause);
  }
  throw invalidFrame('a section has no place');
}

function invalidFrame(why: string, cause?: unknown): StoreError {
  return new StoreError('NEXUS_FRAME_INVALID', `The frame cannot be read: ${why}`, { cause });
}
