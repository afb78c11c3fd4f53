import { redactText } from '@claude-nexus/runtime';

import { ApiError } from './errors.ts';

const MAX_MESSAGE = 1000;

/** The parts of a `metav1.Status` that are read. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly field?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

export interface Failure {
  /** What was asked for, such as `apply Secret default/a`. */
  readonly what: string;
  readonly status: number;
  /** Body of the answer, or the object of an ERROR event, if it was JSON. */
  readonly body: unknown;
  readonly retryAfter?: string | undefined;
  /** The message may quote the object: only reason and field paths are kept. */
  readonly secret: boolean;
}

/** Makes the error of an answer that is no success. */
export function toApiError(failure: Failure): ApiError {
  const body = isStatus(failure.body) ? failure.body : {};
  const status = body.code ?? failure.status;
  const reason = body.reason ?? '';
  const retryAfterSeconds = body.details?.retryAfterSeconds ?? seconds(failure.retryAfter);
  const message = `${failure.what}: ${explain(body, failure)}`;
  return new ApiError(redactText(message).slice(0, MAX_MESSAGE), {
    status,
    reason,
    causes: (body.details?.causes ?? []).flatMap((cause) => cause.reason ?? []),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function explain(body: Status, failure: Failure): string {
  if (!failure.secret && body.message !== undefined && body.message !== '') return body.message;
  const fields = (body.details?.causes ?? []).map(({ field }) => field ?? '').filter((field) => field !== '');
  const reason = body.reason ?? `HTTP ${failure.status}`;
  return fields.length === 0 ? reason : `${reason} (${fields.join(', ')})`;
}

function seconds(header: string | undefined): number | undefined {
  const value = Number(header?.trim() || Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status';
}
