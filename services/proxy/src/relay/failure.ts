import { OWN_ERRORS } from '../errors.ts';
import type { OwnError } from '../errors.ts';

/** An own error of the relay. Nothing of the upstream's address, of the network or of an exception is in it. */
export type Failure = OwnError;

function invalid(message: string, status = 400): Failure {
  return { status, errorType: 'invalid_request_error', message, shouldRetry: false };
}

function upstream(status: 502 | 504, message: string): Failure {
  return { status, errorType: status === 504 ? 'timeout_error' : 'api_error', message, shouldRetry: true };
}

function busy(message: string): Failure {
  return { status: 503, errorType: 'overloaded_error', message, shouldRetry: true, retryAfter: 2 };
}

export const FAILURES = {
  malformed: invalid('The request is not valid HTTP.'),
  version: invalid('Only HTTP/1.1 and HTTP/1.0 requests are served.'),
  target: invalid('The request target must be a path that starts with one slash.'),
  host: OWN_ERRORS.host,
  transferEncoding: invalid('The only transfer encoding accepted is one "chunked", on HTTP/1.1.'),
  upgrade: invalid('Protocol upgrades are not served.'),
  connect: invalid('CONNECT is not served.', 405),
  expectation: invalid('The only expectation accepted is 100-continue.', 417),
  headersTooLarge: invalid('The request has too many or too long headers.', 431),
  tooLarge: {
    status: 413,
    errorType: 'request_too_large',
    message: 'The request body is larger than this proxy accepts.',
    shouldRetry: false,
  },
  slow: {
    status: 408,
    errorType: 'timeout_error',
    message: 'The request did not arrive in time.',
    shouldRetry: true,
  },
  draining: busy('The proxy is shutting down; send the request again.'),
  overloaded: busy('The proxy has no room for this request at the moment; send it again.'),
  unreachable: upstream(502, 'The upstream could not be reached.'),
  reset: upstream(502, 'The upstream closed the connection before it answered.'),
  garbage: upstream(502, 'The upstream sent an invalid answer.'),
  connectTimeout: upstream(504, 'The upstream did not accept a connection in time.'),
  silent: upstream(504, 'The upstream did not answer in time.'),
  internal: {
    status: 500,
    errorType: 'api_error',
    message: 'The proxy failed to handle the request.',
    shouldRetry: true,
  },
} as const satisfies Record<string, Failure>;

const BY_CODE: Readonly<Record<string, Failure>> = {
  NEXUS_UPSTREAM_CONNECT_TIMEOUT: FAILURES.connectTimeout,
  ETIMEDOUT: FAILURES.connectTimeout,
  NEXUS_UPSTREAM_CLOSED: FAILURES.reset,
  ECONNRESET: FAILURES.reset,
  EPIPE: FAILURES.reset,
  NEXUS_UPSTREAM_ANSWER_INVALID: FAILURES.garbage,
  NEXUS_UPSTREAM_REQUEST_INVALID: FAILURES.malformed,
};

/** What to answer when the upstream failed before its head arrived; `error` is ours or the socket's. */
export function upstreamFailure(error: Error): Failure {
  return BY_CODE[errorCode(error)] ?? FAILURES.unreachable;
}

/** The error's stable code, or an empty string. */
export function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
