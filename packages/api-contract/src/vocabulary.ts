import type { RequestKind as DomainKind } from '@claude-nexus/domain';

/** What a request is within its session; see RequestSummary. */
export const requestKinds = [
  'main',
  'subagent',
  'compaction',
  'auxiliary',
  'other',
] as const satisfies readonly DomainKind[];
export type RequestKind = (typeof requestKinds)[number];

/** How an exchange ended; `pending` while it is still open. */
export const requestOutcomes = ['pending', 'completed', 'error', 'aborted', 'interrupted'] as const;
export type RequestOutcome = (typeof requestOutcomes)[number];

/** How a request body is stored: as shared pieces, as one piece, only the part that arrived, or not at all. */
export const requestForms = ['none', 'tree', 'whole', 'partial'] as const;
export type RequestForm = (typeof requestForms)[number];

/** How a response is stored: its bytes, the message a stream amounts to, the raw bytes of a broken stream, or not at all. */
export const responseForms = ['none', 'exact', 'message', 'raw'] as const;
export type ResponseForm = (typeof responseForms)[number];

/** Names of the events on `/sse`. */
export const eventNames = ['request', 'stats', 'heartbeat', 'reset'] as const;
export type EventName = (typeof eventNames)[number];

/** Bounds of the `limit` parameter of every list. */
export const pageLimit = { minimum: 1, maximum: 200, default: 50 } as const;
