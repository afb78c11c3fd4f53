import { NexusError } from '@claude-nexus/runtime';
import type { Logger } from '@claude-nexus/runtime';

/** Whether code and schema fit together; see `schemaFit` of the database package. */
export type SchemaFit = 'fits' | 'schema-too-old' | 'service-too-old';

/** The schema of the database is too new for this dashboard. */
export class ServiceTooOldError extends NexusError {
  readonly code = 'NEXUS_SERVICE_TOO_OLD';

  constructor() {
    super('the schema of the database no longer serves this version of the dashboard: upgrade the dashboard');
  }
}

export interface SchemaGateOptions {
  /** Asks the database. */
  readonly check: () => Promise<SchemaFit>;
  /** Called once, when the schema fits for the first time. */
  readonly onFit: () => void;
  /** Called when it no longer does, because a later version migrated it. */
  readonly onTooOld: (error: ServiceTooOldError) => void;
  readonly logger: Logger;
}

/** Until the schema fits: as soon as it is migrated, or the database can be reached, it should be noticed. */
export const WAIT_MS = 5_000;
/** After that. */
export const WATCH_MS = 60_000;

/** Opens when the database can be reached and serves this version, and watches that it stays so. */
export class SchemaGate {
  readonly #options: SchemaGateOptions;
  #open = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #told: string | undefined;

  constructor(options: SchemaGateOptions) {
    this.#options = options;
  }

  /**
   * Checks now and from then on. A database that is down or not migrated yet is waited for.
   *
   * @throws {ServiceTooOldError} when the first answer is that this version is too old
   */
  async start(): Promise<void> {
    const tooOld = await this.#check();
    if (tooOld !== undefined) throw tooOld;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#again(), this.#open ? WATCH_MS : WAIT_MS);
  }

  async #again(): Promise<void> {
    const tooOld = await this.#check();
    if (tooOld === undefined) this.#schedule();
    else if (!this.#stopped) this.#options.onTooOld(tooOld);
  }

  async #check(): Promise<ServiceTooOldError | undefined> {
    try {
      const fit = await this.#options.check();
      if (fit === 'service-too-old') return new ServiceTooOldError();
      if (fit === 'schema-too-old') this.#tell('the database has to be migrated: run npm run db:migrate');
      else this.#fits();
    } catch (error) {
      this.#tell('cannot check the schema of the database', error);
    }
    return undefined;
  }

  #fits(): void {
    if (this.#open || this.#stopped) return;
    this.#open = true;
    this.#options.onFit();
  }

  /** Once per reason, not every five seconds. */
  #tell(reason: string, error?: unknown): void {
    if (this.#told === reason || this.#open) return;
    this.#told = reason;
    this.#options.logger.warn(error === undefined ? {} : { err: error }, reason);
  }
}
