import type { FrameRow, NodeRow, PieceRow, RequestRow } from '@claude-nexus/database';
import type { JournalExchange } from '../journal/types.ts';
import type { BodyCutter, CutPiece, EncodedFrame } from '../store/index.ts';
import { encodeChunks, encodeFrame, FramePart, Scratch } from '../store/index.ts';
import { decodeRequest } from './decode-request.ts';
import { decodeResponse } from './decode-response.ts';
import type { DecodedRequest, Exchange } from './exchange.ts';
import type { FrameBases, FramePlace } from './frame-bases.ts';
import { requestRow } from './request-row.ts';

/** What the recorder keeps of an exchange whose `pending` row is committed, until it ends. */
export interface CommittedRequest {
  request: DecodedRequest;
}

/** One exchange in a batch: still open (a `pending` row) or closed. */
export interface Unit {
  source: JournalExchange;
  /** Set when the request part is in the database already. */
  committed: CommittedRequest | undefined;
}

/** A unit ready to be written, but for the question which of its pieces are stored already. */
export interface PreparedUnit {
  exchange: Exchange;
  row: RequestRow;
  nodes: NodeRow[];
  parts: PreparedPart[];
}

/** One frame to be. */
interface PreparedPart {
  part: FramePart;
  pieces: readonly CutPiece[];
  meta: Record<string, unknown>;
  sections: Record<string, Buffer>;
}

/** Decodes one unit. Throws what the decoders throw: the record is then quarantined. */
export function prepareUnit(unit: Unit, options: { cutter: BodyCutter; recorderId: string }): PreparedUnit {
  const { source, committed } = unit;
  const request = committed?.request ?? decodeRequest(source, options.cutter);
  const response = source.closing === undefined ? undefined : decodeResponse(source);
  const exchange: Exchange = { source, request: withFinalLength(request, source), response };
  const parts: PreparedPart[] = [];
  if (committed === undefined) parts.push(requestPart(request));
  if (response !== undefined && source.head !== undefined) parts.push(responsePart(exchange));
  return {
    exchange,
    row: requestRow(exchange, options.recorderId),
    nodes: committed === undefined ? nodeRows(request) : [],
    parts: inOneFrame(parts),
  };
}

/** What has to stay in memory of a request that is written: no bytes of its body. */
export function withoutBytes(request: DecodedRequest): DecodedRequest {
  const { body } = request;
  return body === undefined ? request : { ...request, body: { ...body, pieces: [], nodes: [] } };
}

function withFinalLength(request: DecodedRequest, source: JournalExchange): DecodedRequest {
  const length = source.end?.requestLength;
  return length === undefined || length === request.length ? request : { ...request, length };
}

function requestPart({ body, headers }: DecodedRequest): PreparedPart {
  return { part: FramePart.request, pieces: body?.pieces ?? [], meta: { headers }, sections: {} };
}

function responsePart({ response }: Exchange): PreparedPart {
  const { headers = [], body, raw, chunks = [] } = response ?? {};
  const sections: Record<string, Buffer> = {};
  if (body !== undefined) sections['response'] = body.recipe;
  if (raw !== undefined) sections['raw'] = raw;
  if (chunks.length > 0) sections['chunks'] = encodeChunks(chunks);
  // The row tells the length on the wire; what is rebuilt of a stream is the message, of another length.
  const meta = body === undefined ? { headers } : { headers, length: body.length };
  return { part: FramePart.response, pieces: body?.pieces ?? [], meta, sections };
}

/** Two frames take more room than one, and more time. */
function inOneFrame(parts: PreparedPart[]): PreparedPart[] {
  const [request, response] = parts;
  if (request === undefined || response === undefined) return parts;
  const pieces = [...request.pieces, ...response.pieces];
  const meta = { ...request.meta, answer: response.meta };
  return [{ part: FramePart.exchange, pieces, meta, sections: response.sections }];
}

function nodeRows({ body, week }: DecodedRequest): NodeRow[] {
  return (body?.nodes ?? []).map((node) => ({ week, ...node }));
}

/** The content of a batch. */
export interface FramedUnits {
  frames: FrameRow[];
  pieces: PieceRow[];
  /** What later frames can be based on once all of these are stored, if they could not be before. */
  placed: { place: FramePlace; frame: EncodedFrame }[];
}

/** The text of one frame at a time. */
const scratch = new Scratch();

/**
 * Builds the frames of a batch.
 *
 * @param options.isMissing whether a piece has to be shipped; asked once per piece, in batch order
 * @param options.isRetry the batch, or some of it, may be stored already: none of its frames is based on another
 */
export function frameUnits(
  units: readonly PreparedUnit[],
  options: { isMissing: (week: number, hash: Buffer) => boolean; bases: FrameBases; isRetry: boolean },
): FramedUnits {
  const framed: FramedUnits = { frames: [], pieces: [], placed: [] };
  for (const { exchange, parts } of units) {
    const requestId = exchange.source.id;
    const { week } = exchange.request;
    for (const { part, meta, sections, pieces: offered } of parts) {
      const missing = offered.filter((piece) => options.isMissing(week, piece.hash));
      const place = options.bases.place({ name: seriesOf(exchange, part), week, requestId });
      const contents = { meta, sections, pieces: missing, base: place.base?.text };
      const frame = options.isRetry ? encodeFrame(contents) : encodeFrame(contents, scratch);
      if (options.isRetry) framed.placed.push({ place, frame });
      else options.bases.add(place, frame);
      framed.frames.push({
        requestId,
        part,
        data: frame.data,
        ...(frame.isBased && { base: place.base?.requestId }),
      });
      missing.forEach((piece, index) => {
        const offset = frame.offsets[index] as number;
        framed.pieces.push({ week, hash: piece.hash, requestId, part, offset, length: piece.bytes.length });
      });
    }
  }
  return framed;
}

/** Frames of one series have much in common; no series crosses a scope. */
function seriesOf({ source, request }: Exchange, part: number): string {
  const { sessionId = '', agentId = '' } = request.identity;
  return `${source.begin.scope}\n${sessionId}\n${agentId}\n${part}`;
}
