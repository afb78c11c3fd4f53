import type { Logger } from './logging/logger.ts';

/** What a closer learns when it is called. */
export interface CloserContext {
  /** Milliseconds left of the deadline of the whole shutdown; never negative. */
  remainingMs(): number;
}

export type Closer = (context: CloserContext) => Promise<void> | void;

/** The parts of `process` a shutdown touches; replaced in tests. */
export interface ShutdownHost {
  on(event: string, listener: (argument: unknown) => void): unknown;
  off(event: string, listener: (argument: unknown) => void): unknown;
  exit(code: number): void;
}

export interface ShutdownOptions {
  readonly logger: Logger;
  /** After this long the program exits with code 1, whatever is still open. Milliseconds. */
  readonly deadlineMs: number;
  readonly host?: ShutdownHost;
  readonly now?: () => number;
}

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Exit codes: 0 closed in order, 1 a closer failed or the deadline passed, 128 + n a second signal. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #host: ShutdownHost;
  readonly #now: () => number;
  readonly #closers: { name: string; close: Closer }[] = [];
  readonly #listeners: [string, (argument: unknown) => void][] = [];
  #running: Promise<void> | undefined;
  #exitCode = 0;
  /** Name of the closer that runs. */
  #closing: string | undefined;

  constructor(options: ShutdownOptions) {
    this.#options = options;
    this.#host = options.host ?? process;
    this.#now = options.now ?? Date.now;
  }

  /** True from the first request on. */
  get started(): boolean {
    return this.#running !== undefined;
  }

  /** Registers what must be closed. The last one added is closed first, as resources are opened. */
  add(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /**
   * Listens for SIGTERM and SIGINT: the first closes in order, a second one exits at once. An error nobody caught
   * closes in order too, with exit code 1: one broken exchange must not cut the streams of everybody else.
   */
  install(): void {
    for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
      this.#listen(signal, () => {
        if (this.started) {
          this.#options.logger.warn({ signal }, 'second signal: exiting at once');
          this.#host.exit(code);
          return;
        }
        void this.request(signal);
      });
    }
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      this.#listen(event, (error) => {
        this.#options.logger.fatal({ err: error, event }, 'an error nobody caught: shutting down');
        void this.request(event, 1);
      });
    }
  }

  /** Closes everything, then exits. Later calls join the first; the highest exit code wins. */
  request(reason: string, exitCode = 0): Promise<void> {
    this.#exitCode = Math.max(this.#exitCode, exitCode);
    this.#running ??= this.#run(reason);
    return this.#running;
  }

  /** Closes everything without ending the program: for a start that failed half-way and has its own last word. */
  async release(): Promise<void> {
    this.#running ??= this.#closeAll(this.#now() + this.#options.deadlineMs).then(() => this.#forget());
    await this.#running;
  }

  #forget(): void {
    for (const [event, listener] of this.#listeners) this.#host.off(event, listener);
  }

  #listen(event: string, listener: (argument: unknown) => void): void {
    this.#listeners.push([event, listener]);
    this.#host.on(event, listener);
  }

  async #run(reason: string): Promise<void> {
    const { logger, deadlineMs } = this.#options;
    logger.info({ reason, deadlineMs }, 'shutting down');
    const endsAt = this.#now() + deadlineMs;
    const expired = Promise.withResolvers<'expired'>();
    const timer = setTimeout(() => expired.resolve('expired'), deadlineMs);
    const outcome = await Promise.race([this.#closeAll(endsAt), expired.promise]);
    clearTimeout(timer);
    if (outcome === 'expired') {
      this.#exitCode = Math.max(this.#exitCode, 1);
      logger.error({ waitingFor: this.#closing, deadlineMs }, 'shutdown deadline passed: exiting');
    } else {
      logger.info({ exitCode: this.#exitCode }, 'shut down');
    }
    this.#forget();
    this.#host.exit(this.#exitCode);
  }

  async #closeAll(endsAt: number): Promise<'closed'> {
    const context: CloserContext = { remainingMs: () => Math.max(0, endsAt - this.#now()) };
    for (const { name, close } of this.#closers.toReversed()) {
      this.#closing = name;
      try {
        await close(context);
      } catch (error) {
        this.#exitCode = Math.max(this.#exitCode, 1);
        this.#options.logger.error({ err: error, closing: name }, 'could not close cleanly');
      }
    }
    return 'closed';
  }
}
