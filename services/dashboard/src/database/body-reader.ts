import { readFrames, readRecipeChain } from '@claude-nexus/database';
import type { Queryable, StoredRequest } from '@claude-nexus/database';
import {
  EXCHANGE_PARTS,
  exchangeFrames,
  FrameSet,
  StoreError,
  rebuildBody,
  rebuildResponse,
  recipePieces,
} from '@claude-nexus/recording/store';
import type { ExchangeFrames, Frame } from '@claude-nexus/recording/store';
import { BodyCorruptError } from '../errors.ts';
import type { StoredBody } from '../store.ts';
import { headerValue, headersOf, lengthOf } from './frame-meta.ts';
import { PieceReader } from './piece-reader.ts';

/** Reads the frames an exchange came in. */
export async function readExchangeFrames(client: Queryable, id: string): Promise<ExchangeFrames> {
  const keys = EXCHANGE_PARTS.map((part) => ({ requestId: id, part }));
  const frames = new FrameSet(await readFrames(client, keys));
  return orCorrupt(() => exchangeFrames(frames, id));
}

/** The exact bytes of a request body; undefined when none is stored. */
export async function readRequestBody(
  client: Queryable,
  row: StoredRequest,
): Promise<StoredBody | undefined> {
  const { requestForm, requestSha256: sha256, headHash, tailHash, leafNode, week } = row;
  if (requestForm === 'none' || sha256 === undefined || headHash === undefined) return undefined;
  return orCorrupt(async () => {
    const pieces = new PieceReader(client, week);
    await pieces.load(tailHash === undefined ? [headHash] : [headHash, tailHash]);
    const head = required(pieces, headHash);
    const tail = tailHash && required(pieces, tailHash);
    const nodes = leafNode === undefined ? [] : await readRecipeChain(client, { week, hash: leafNode });
    const recipes = tail === undefined ? [head, ...nodes] : [head, ...nodes, tail];
    await pieces.load(recipes.flatMap(recipePieces));
    const source = { head, nodes, tail, sha256, length: row.requestLength };
    const bytes = rebuildBody(source, (hash) => pieces.find(hash));
    const frames = await readExchangeFrames(client, row.id);
    const contentType = contentTypeOf(frames.request);
    return { bytes, encoding: row.requestEncoding, contentType, complete: requestForm !== 'partial' };
  });
}

/**
 * An answer as it is stored: its bytes, the message a stream amounts to, or the bytes of a broken stream with the
 * message as far as it got. Undefined when none is stored.
 */
export async function readResponseBody(
  client: Queryable,
  row: StoredRequest,
): Promise<StoredBody | undefined> {
  if (row.responseForm === 'none') return undefined;
  return orCorrupt(async () => {
    const { response } = await readExchangeFrames(client, row.id);
    if (response === undefined) return undefined;
    if (row.responseForm === 'raw') return rawBody(client, row, response);
    const bytes = await rebuildAnswer(client, row, response);
    if (bytes === undefined) return undefined;
    const message = { encoding: undefined, contentType: 'application/json' };
    const wire = { encoding: row.responseEncoding, contentType: contentTypeOf(response) };
    return { bytes, complete: true, ...(row.responseForm === 'message' ? message : wire) };
  });
}

async function rawBody(client: Queryable, row: StoredRequest, frame: Frame): Promise<StoredBody | undefined> {
  const bytes = frame.sections.get('raw');
  if (bytes === undefined) return undefined;
  const body = { bytes, encoding: row.responseEncoding, contentType: contentTypeOf(frame), complete: false };
  const partialMessage = await rebuildAnswer(client, row, frame).catch((error: unknown) => {
    // The raw bytes are what was sent; how far they can be read is an extra.
    if (error instanceof StoreError) return undefined;
    throw error;
  });
  return partialMessage === undefined ? body : { ...body, partialMessage };
}

async function rebuildAnswer(
  client: Queryable,
  row: StoredRequest,
  frame: Frame,
): Promise<Buffer | undefined> {
  const recipe = frame.sections.get('response');
  const { responseSha256: sha256, week } = row;
  if (recipe === undefined || sha256 === undefined) return undefined;
  const pieces = new PieceReader(client, week);
  await pieces.load(recipePieces(recipe));
  // An assembled message is not as long as the stream it came in: its frame tells.
  const length = lengthOf(frame.meta) ?? row.responseLength;
  return rebuildResponse({ recipe, sha256, length }, (hash) => pieces.find(hash));
}

function contentTypeOf(frame: Frame | undefined): string | undefined {
  return headerValue(headersOf(frame?.meta), 'content-type');
}

function required(pieces: PieceReader, hash: Buffer): Buffer {
  const bytes = pieces.find(hash);
  if (bytes === undefined) throw new BodyCorruptError();
  return bytes;
}

/** What the store cannot read back is damaged for a reader, whatever the reason. */
async function orCorrupt<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StoreError) throw new BodyCorruptError({ cause: error });
    throw error;
  }
}
