import { NexusError } from '@claude-nexus/runtime';

/** Handed to undici to give an upstream request up; never reaches a client. */
export class UpstreamAbortError extends NexusError {
  readonly code = 'NEXUS_UPSTREAM_ABORTED';
}
