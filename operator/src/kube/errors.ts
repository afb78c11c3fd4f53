import { NexusError } from '@claude-nexus/runtime';

/** The API server refused a request. The message never holds the request's or the answer's object. */
export class ApiError extends NexusError {
  readonly code = 'NEXUS_KUBE_API_ERROR';
  /** HTTP status; 410 for an expired resource version, in-stream as well. */
  readonly status: number;
  /** Machine-readable, such as `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, `Invalid`, `Forbidden`. */
  readonly reason: string;
  /** Seconds the server asks to wait. */
  readonly retryAfterSeconds: number | undefined;
  /** Reasons of the causes, such as `NamespaceTerminating`. */
  readonly causes: readonly string[];

  constructor(
    message: string,
    details: { status: number; reason: string; retryAfterSeconds?: number; causes?: readonly string[] },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.causes = details.causes ?? [];
  }
}

/** No complete answer came: connection refused, reset, silent for too long. */
export class ApiUnreachableError extends NexusError {
  readonly code = 'NEXUS_KUBE_API_UNREACHABLE';
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** The cache shows an older state than the server has: what was decided from it must be decided again. */
export class StaleCacheError extends NexusError {
  readonly code = 'NEXUS_KUBE_STALE_CACHE';
}

/** No usable kubeconfig. The message is one line that names the fix. */
export class KubeconfigError extends NexusError {
  readonly code = 'NEXUS_KUBECONFIG_UNUSABLE';
}

/** A write was kept back because this process does not lead any more. */
export class NotLeadingError extends NexusError {
  readonly code = 'NEXUS_KUBE_NOT_LEADING';
}

/** An object of the wanted name exists and is somebody else's. The message is one line that names it and the fix. */
export class NameTakenError extends NexusError {
  readonly code = 'NEXUS_KUBE_NAME_TAKEN';
  readonly kind: string;
  /** Not `name`, which is the error's own. */
  readonly objectName: string;

  constructor(kind: string, objectName: string) {
    super(`${kind} ${objectName} exists and is not of this resource; delete or rename it`);
    this.kind = kind;
    this.objectName = objectName;
  }
}
