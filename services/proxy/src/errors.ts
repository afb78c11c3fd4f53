import { randomUUID } from 'node:crypto';

import { NexusError } from '@claude-nexus/runtime';
import { anthropicError } from '@claude-nexus/protocol';
import type { AnthropicErrorType } from '@claude-nexus/protocol';

/** The credentials folder cannot be read at start. The message is one line that names the folder and the reason. */
export class CredentialsDirError extends NexusError {
  readonly code = 'NEXUS_CREDENTIALS_DIR_UNREADABLE';
}

/** An error the proxy answers itself. */
export interface OwnError {
  readonly status: number;
  readonly errorType: AnthropicErrorType;
  /** Fixed text of ours: no internal detail, nothing a client sent. */
  readonly message: string;
  /** Value of `x-should-retry`; false stops the ten retries of the client. */
  readonly shouldRetry: boolean;
  /** Value of `retry-after`, in seconds. */
  readonly retryAfter?: number;
}

export const OWN_ERRORS = {
  badRequest: {
    status: 400,
    errorType: 'invalid_request_error',
    message: 'The request is not valid.',
    shouldRetry: false,
  },
  host: {
    status: 400,
    errorType: 'invalid_request_error',
    message: 'The request needs exactly one valid Host header.',
    shouldRetry: false,
  },
  clientKey: {
    status: 401,
    errorType: 'authentication_error',
    message: 'This domain needs a client key of the gateway, as ANTHROPIC_AUTH_TOKEN or ANTHROPIC_API_KEY.',
    shouldRetry: false,
  },
  credential: {
    status: 401,
    errorType: 'authentication_error',
    message: 'Send the credential whose statistics you want to see, in authorization or x-api-key.',
    shouldRetry: false,
  },
  domain: {
    status: 403,
    errorType: 'permission_error',
    message: 'This gateway does not serve the host name of the request.',
    shouldRetry: false,
  },
  path: {
    status: 403,
    errorType: 'permission_error',
    message: 'This path is not allowed on this domain; an administrator can add it to allowed_paths.',
    shouldRetry: false,
  },
  scope: {
    status: 403,
    errorType: 'permission_error',
    message: 'The parameters ask for statistics this credential may not see.',
    shouldRetry: false,
  },
  credentialFile: {
    status: 503,
    errorType: 'api_error',
    message: 'The credential file of this domain is unusable; the log of the gateway says why.',
    shouldRetry: false,
  },
  notFound: {
    status: 404,
    errorType: 'not_found_error',
    message: 'There is nothing at this address.',
    shouldRetry: false,
  },
  noStorage: {
    status: 503,
    errorType: 'api_error',
    message: 'Token statistics need storage, which is off on this gateway.',
    shouldRetry: false,
  },
  database: {
    status: 503,
    errorType: 'api_error',
    message: 'Token statistics are not available at the moment.',
    shouldRetry: true,
    retryAfter: 5,
  },
  internal: {
    status: 500,
    errorType: 'api_error',
    message: 'The gateway failed to handle the request.',
    shouldRetry: true,
  },
} as const satisfies Record<string, OwnError>;

/** An own error as it goes out. */
export interface RenderedError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text in the shape of the Messages API. */
  readonly body: string;
}

/** @param requestId repeated in the header and the body, so that a user can quote it */
export function renderError(error: OwnError, requestId: string = newRequestId()): RenderedError {
  return {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      'request-id': requestId,
      'x-should-retry': String(error.shouldRetry),
      ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }),
    },
    body: anthropicError(error.errorType, error.message, requestId),
  };
}

function newRequestId(): string {
  return `nexus_${randomUUID()}`;
}
