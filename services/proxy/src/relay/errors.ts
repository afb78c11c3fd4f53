import { NexusError } from '@claude-nexus/runtime';

/** The upstream closed its connection before the end of its answer. */
export class UpstreamClosedError extends NexusError {
  readonly code = 'NEXUS_UPSTREAM_CLOSED';
}

/** The upstream did not accept a connection in time. */
export class UpstreamConnectTimeoutError extends NexusError {
  readonly code = 'NEXUS_UPSTREAM_CONNECT_TIMEOUT';
}

/** What the upstream sent is no valid HTTP/1.1 answer. */
export class UpstreamAnswerError extends NexusError {
  readonly code = 'NEXUS_UPSTREAM_ANSWER_INVALID';
}

/** The request cannot be sent as it is. */
export class UpstreamRequestError extends NexusError {
  readonly code = 'NEXUS_UPSTREAM_REQUEST_INVALID';
}
