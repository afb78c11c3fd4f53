import type { ClaudeNexus, ClaudeNexusStatus } from '../api/v1alpha1/claude-nexus.ts';
import type { Condition } from '../api/v1alpha1/conditions.ts';
import type { ApiClient } from './api-client.ts';
import { formatTime } from './clock.ts';
import type { Clock } from './clock.ts';
import { digest } from './digest.ts';
import { ApiError, isConflict, isNotFound } from './errors.ts';
import { KINDS } from './kinds.ts';

const ATTEMPTS = 3;

/** What a status is to say; the writer adds the times. */
export interface WantedStatus {
  readonly conditions: readonly Omit<Condition, 'lastTransitionTime'>[];
  readonly status: Omit<ClaudeNexusStatus, 'conditions'>;
}

export interface StatusWriterOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly fieldManager: string;
}

/** Writes `status`, and only when it says something new. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /**
   * Server-side apply with a manager of its own, guarded by uid and resource version: a condition keeps the time of its
   * last change, so it must be judged by the newest status. An owner that is gone is no error.
   *
   * @returns whether something was written
   * @throws {ApiError}
   */
  async write(owner: ClaudeNexus, wanted: WantedStatus): Promise<boolean> {
    let current = owner;
    for (let attempt = 1; ; attempt++) {
      if (saysTheSame(current.status, wanted)) return false;
      try {
        await this.#send(current, wanted);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        if (!isOutdated(error) || attempt === ATTEMPTS) throw error;
      }
      const fresh = await this.#read(owner);
      if (fresh === undefined) return false;
      current = fresh;
    }
  }

  async #send(current: ClaudeNexus, wanted: WantedStatus): Promise<void> {
    const { client, clock, fieldManager } = this.#options;
    const { name, namespace, uid, resourceVersion } = current.metadata;
    const now = formatTime(clock.now());
    const conditions = wanted.conditions.map((condition) => {
      const before = current.status?.conditions?.find(({ type }) => type === condition.type);
      const same = before?.status === condition.status;
      return { ...condition, lastTransitionTime: same ? before.lastTransitionTime : now };
    });
    const body = {
      apiVersion: current.apiVersion,
      kind: current.kind,
      metadata: { name, namespace, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      status: { ...wanted.status, conditions },
    };
    await client.apply(KINDS.ClaudeNexus, body, { fieldManager, force: true, subresource: 'status' });
  }

  /** The owner as it is now; undefined when it is gone or another one has its name. */
  async #read({ metadata: { name, namespace, uid } }: ClaudeNexus): Promise<ClaudeNexus | undefined> {
    try {
      const fresh = await this.#options.client.get(KINDS.ClaudeNexus, { namespace, name });
      return fresh.metadata.uid === uid ? (fresh as ClaudeNexus) : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** Times apart. */
function saysTheSame(current: ClaudeNexusStatus | undefined, wanted: WantedStatus): boolean {
  const { conditions = [], ...rest } = current ?? {};
  return digest([rest, comparable(conditions)]) === digest([wanted.status, comparable(wanted.conditions)]);
}

function comparable(conditions: readonly Omit<Condition, 'lastTransitionTime'>[]): object {
  const untimed = conditions.map((condition) => ({ ...condition, lastTransitionTime: undefined }));
  return Object.fromEntries(untimed.map((condition) => [condition.type, condition]));
}

/** The API server answers another uid with 422 and another version with 409. */
function isOutdated(error: unknown): boolean {
  return isConflict(error) || (error instanceof ApiError && error.status === 422);
}
