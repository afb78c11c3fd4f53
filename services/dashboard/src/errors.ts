import type { FieldError } from '@claude-nexus/api-contract';
import { NexusError } from '@claude-nexus/runtime';

/** Base of every failure that becomes an answer. `message` is shown to the caller: no internal detail in it. */
export abstract class HttpProblemError extends NexusError {
  abstract readonly status: number;
  abstract readonly title: string;
  /** Seconds for `retry-after`. */
  readonly retryAfter?: number;
  /** The inputs that were refused. */
  readonly fields?: readonly FieldError[];
}

/** A parameter or member was refused; `fields` names each with its fix. */
export class InputInvalidError extends HttpProblemError {
  readonly code = 'NEXUS_INPUT_INVALID';
  readonly status = 400;
  readonly title = 'Bad Request';
  override readonly fields: readonly FieldError[];

  constructor(fields: readonly FieldError[], options?: ErrorOptions) {
    super(fields.map(({ field, message, fix }) => `${field} ${message}: ${fix}`).join('; '), options);
    this.fields = fields;
  }
}

/** Neither a valid key nor a valid session cookie came with the request. */
export class UnauthenticatedError extends HttpProblemError {
  readonly code = 'NEXUS_UNAUTHENTICATED';
  readonly status = 401;
  readonly title = 'Unauthorized';

  constructor() {
    super('send the dashboard key as "Authorization: Bearer KEY" or "X-Dashboard-Key: KEY", or log in');
  }
}

/** A browser sent a changing request from another site. */
export class ForeignOriginError extends HttpProblemError {
  readonly code = 'NEXUS_FOREIGN_ORIGIN';
  readonly status = 403;
  readonly title = 'Forbidden';

  constructor() {
    super('changing requests are accepted from pages of this dashboard only');
  }
}

/** Too many wrong keys. */
export class TooManyAttemptsError extends HttpProblemError {
  readonly code = 'NEXUS_TOO_MANY_ATTEMPTS';
  readonly status = 429;
  readonly title = 'Too Many Requests';
  override readonly retryAfter: number;

  /** @param retryAfter seconds until another wrong key is within the limit */
  constructor(retryAfter: number) {
    super(`too many wrong keys: try again in ${retryAfter} s`);
    this.retryAfter = retryAfter;
  }
}

/** There is no request with this id, or none any more. */
export class RequestNotFoundError extends HttpProblemError {
  readonly code = 'NEXUS_REQUEST_NOT_FOUND';
  readonly status = 404;
  readonly title = 'Not Found';

  constructor() {
    super('no request with this id is stored');
  }
}

/** The request is there, but this body of it is not (yet). */
export class BodyNotStoredError extends HttpProblemError {
  readonly code = 'NEXUS_BODY_NOT_STORED';
  readonly status = 404;
  readonly title = 'Not Found';

  constructor() {
    super('this body is not stored: it was not recorded, or the exchange is still open');
  }
}

/** A stored body does not match its checksum. */
export class BodyCorruptError extends HttpProblemError {
  readonly code = 'NEXUS_BODY_CORRUPT';
  readonly status = 500;
  readonly title = 'Internal Server Error';

  constructor(options?: ErrorOptions) {
    super('the stored body cannot be rebuilt or does not match its checksum', options);
  }
}

/** Nothing is served at this address. */
export class RouteNotFoundError extends HttpProblemError {
  readonly code = 'NEXUS_ROUTE_NOT_FOUND';
  readonly status = 404;
  readonly title = 'Not Found';

  constructor() {
    super('nothing is served at this address: see api/openapi.json');
  }
}

/** There is something at this address, but not for this method. */
export class MethodNotAllowedError extends HttpProblemError {
  readonly code = 'NEXUS_METHOD_NOT_ALLOWED';
  readonly status = 405;
  readonly title = 'Method Not Allowed';

  /** @param allowed methods the address has */
  constructor(allowed: readonly string[]) {
    super(`this address knows ${allowed.join(', ')}`);
  }
}

/** The database cannot be reached, or does not serve this version. */
export class DatabaseUnavailableError extends HttpProblemError {
  readonly code = 'NEXUS_DATABASE_UNAVAILABLE';
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly retryAfter = 5;

  constructor(options?: ErrorOptions) {
    super('the database does not answer: try again in a moment', options);
  }
}

/** The query ran into the statement timeout. */
export class QueryTooSlowError extends HttpProblemError {
  readonly code = 'NEXUS_QUERY_TOO_SLOW';
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly retryAfter = 5;

  constructor(options?: ErrorOptions) {
    super('the query took too long: narrow it with from, to or other filters', options);
  }
}

/** As many event streams are open as this process serves, or it is about to stop. */
export class TooManyStreamsError extends HttpProblemError {
  readonly code = 'NEXUS_TOO_MANY_STREAMS';
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly retryAfter = 5;

  constructor() {
    super('no further event stream is accepted here: try again in a moment');
  }
}

/** Not HTTP, although the parser takes it for that. */
export class ForeignProtocolError extends HttpProblemError {
  readonly code = 'NEXUS_FOREIGN_PROTOCOL';
  readonly status = 400;
  readonly title = 'Bad Request';

  constructor() {
    super('only HTTP is served');
  }
}
