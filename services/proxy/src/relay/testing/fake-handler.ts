import type { UpstreamHead } from '../upstream/answer-head.ts';
import type { BodyBytes } from '../upstream/answer-parser.ts';
import type { AnswerHandler } from '../upstream/call.ts';

/** Notes what an upstream call tells it. */
export class FakeHandler implements AnswerHandler {
  readonly heads: UpstreamHead[] = [];
  body = '';
  trailers: readonly string[] | undefined;
  drained = 0;
  /** The error of a failure; undefined at the regular end. */
  readonly over: Promise<Error | undefined>;
  readonly #resolveOver: (error: Error | undefined) => void;
  #waiters: (() => void)[] = [];

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.over = promise;
    this.#resolveOver = resolve;
  }

  answerHead(head: UpstreamHead): void {
    this.heads.push(head);
    this.#wake();
  }

  answerBytes({ data, runs }: BodyBytes): void {
    for (let i = 0; i < runs.length; i += 2) this.body += data.toString('latin1', runs[i], runs[i + 1]);
    this.#wake();
  }

  answerEnd(trailers: readonly string[]): void {
    this.trailers = trailers;
    this.#resolveOver(undefined);
  }

  upstreamFailed(error: Error): void {
    this.#resolveOver(error);
  }

  uploadDrained(): void {
    this.drained++;
    this.#wake();
  }

  /** Resolves as soon as `done` says so. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
