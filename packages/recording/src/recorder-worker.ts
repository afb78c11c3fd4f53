import { Worker } from 'node:worker_threads';

import { bufferToUuid } from '@claude-nexus/domain';
import type { Logger } from '@claude-nexus/runtime';

import type { JournalControl } from './journal/control.ts';
import type { LostExchange, Suspect } from './journal/types.ts';
import type { FromWorker, RecorderWorkerData, ToWorker } from './worker-messages.ts';

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 30_000;
/** A worker that ran this long has recovered: the next crash starts over. */
const STEADY_MS = 60_000;

export interface RecorderWorkerOptions {
  url: URL;
  control: JournalControl;
  logger: Logger;
  /** Called at every start, because what is lost and suspect changes. */
  data: (suspects: readonly Suspect[]) => RecorderWorkerData;
  /** A worker that shows no sign of life this long while it processes exchanges hangs in one of them. */
  hangMs: number;
  onCount: (message: Extract<FromWorker, { type: 'count' }>) => void;
  now: () => number;
}

/** Keeps the worker thread running and remembers which exchanges it may have died of. */
export class RecorderWorker {
  readonly #options: RecorderWorkerOptions;
  /** How often a worker died of an exchange alone; 0: only together with others. */
  readonly #attempts = new Map<string, number>();
  #worker: Worker | undefined;
  #startedAt = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #restartTimer: NodeJS.Timeout | undefined;
  #stopping = false;
  #seen = { signs: -1, at: 0 };
  restarts = 0;

  constructor(options: RecorderWorkerOptions) {
    this.#options = options;
  }

  start(): void {
    const { url, data, now } = this.#options;
    const suspects = [...this.#attempts].map(([id, attempts]) => ({ id, attempts }));
    const worker = new Worker(url, { workerData: data(suspects), name: 'recorder' });
    this.#worker = worker;
    this.#startedAt = now();
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => {
      this.#options.logger.error({ err: error }, 'the recorder worker crashed');
    });
    worker.on('exit', (exitCode) => this.#exited(worker, exitCode));
  }

  tellLost(lost: LostExchange): void {
    this.#send({ type: 'lost', ...lost });
  }

  /** Ends a worker that hangs, as if it had crashed. To be called every second or so. */
  watch(): void {
    const { control, hangMs, logger, now } = this.#options;
    const signs = control.signsOfLife();
    if (signs !== this.#seen.signs || control.processingCount() === 0) {
      this.#seen = { signs, at: now() };
    } else if (now() - this.#seen.at > hangMs && this.#worker !== undefined) {
      this.#seen = { signs: -1, at: now() };
      logger.error({ hangMs }, 'the recorder worker hangs and is ended');
      void this.#worker.terminate();
    }
  }

  /** Asks the worker to finish and ends it after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#send({ type: 'stop' });
    const timer = setTimeout(() => void worker.terminate(), graceMs);
    await exited;
    clearTimeout(timer);
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'log') this.#options.logger[message.level](message.fields, message.message);
    if (message.type === 'count') this.#options.onCount(message);
  }

  #exited(worker: Worker, exitCode: number): void {
    if (this.#worker === worker) this.#worker = undefined;
    if (this.#stopping) return;
    const { control, logger, now } = this.#options;
    const processing = control.processing().map((id) => bufferToUuid(id));
    control.setProcessing([]);
    const alone = processing.length === 1;
    for (const id of processing) this.#attempts.set(id, (this.#attempts.get(id) ?? 0) + (alone ? 1 : 0));
    const suspects = alone ? { exchangeId: processing[0] } : { exchanges: processing.length };
    if (now() - this.#startedAt > STEADY_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.restarts++;
    const retryMs = this.#backoffMs;
    logger.error({ exitCode, ...suspects, retryMs }, 'the recorder worker ended and is started again');
    this.#restartTimer = setTimeout(() => this.start(), retryMs);
    this.#backoffMs = Math.min(retryMs * 2, LAST_BACKOFF_MS);
  }
}
