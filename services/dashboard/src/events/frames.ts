import type {
  EventName,
  HeartbeatEvent,
  RequestSummary,
  ResetEvent,
  StatsEvent,
} from '@claude-nexus/api-contract';

/** Data of each event. */
interface EventData {
  request: RequestSummary;
  stats: StatsEvent;
  heartbeat: HeartbeatEvent;
  reset: ResetEvent;
}

/** Sent first; also how long browsers wait before they connect again. */
export const PREAMBLE = Buffer.from('retry: 3000\n\n');

/** One event as bytes. JSON text has no line breaks, so a single data line is enough. */
export function frame<N extends EventName>(name: N, data: EventData[N], position: string): Buffer {
  return Buffer.from(`id: ${position}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`, 'utf8');
}
