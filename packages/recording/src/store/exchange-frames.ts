import type { Frame } from './frame.ts';
import type { FrameSet } from './frame-set.ts';

/** What a frame holds of its exchange: the request, the answer, or both where they were stored at once. */
export const FramePart = { request: 0, response: 1, exchange: 2 } as const;
export type FramePart = (typeof FramePart)[keyof typeof FramePart];

/** Meta of a frame of part `exchange`: that of the request with that of the answer in it. */
interface ExchangeMeta {
  readonly answer?: unknown;
}

/** What is stored of an exchange beside its pieces; undefined where nothing arrived. */
export interface ExchangeFrames {
  readonly request: Frame | undefined;
  readonly response: Frame | undefined;
}

/** Parts of which `exchangeFrames` makes an exchange. */
export const EXCHANGE_PARTS: readonly FramePart[] = Object.values(FramePart);

/**
 * The two sides of an exchange, whichever way they were stored: `meta` of each is its own.
 *
 * @param frames those of `EXCHANGE_PARTS` that are stored, with all they are based on
 * @throws StoreError NEXUS_FRAME_TOO_LARGE, NEXUS_FRAME_INVALID
 */
export function exchangeFrames(frames: FrameSet, requestId: string): ExchangeFrames {
  const request = frames.decode(requestId, FramePart.request);
  const response = frames.decode(requestId, FramePart.response);
  if (request !== undefined && response !== undefined) return { request, response };
  const both = frames.decode(requestId, FramePart.exchange);
  return { request: request ?? both, response: response ?? (both && answerIn(both)) };
}

function answerIn(both: Frame): Frame {
  return { ...both, meta: (both.meta as ExchangeMeta | null)?.answer };
}
