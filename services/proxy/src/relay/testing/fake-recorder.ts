import type { ExchangeEnd, ExchangeRecorder, ExchangeRecording, ExchangeStart } from '../ports.ts';

/** What was recorded of one exchange. */
export class FakeRecording implements ExchangeRecording {
  readonly id: string;
  readonly start: ExchangeStart;
  readonly requestChunks: Buffer[] = [];
  requestEnded = false;
  head: { status: number; headers: string[]; at: number } | undefined;
  readonly responseChunks: Buffer[] = [];
  endRecord: ExchangeEnd | undefined;
  readonly ended: Promise<ExchangeEnd>;
  readonly #gate: () => Promise<void>;
  readonly #brake: () => Promise<void> | undefined;
  readonly #resolveEnded: (end: ExchangeEnd) => void;

  constructor(
    id: string,
    start: ExchangeStart,
    disk: { gate: () => Promise<void>; brake: () => Promise<void> | undefined },
  ) {
    this.id = id;
    this.start = start;
    this.#gate = disk.gate;
    this.#brake = disk.brake;
    const { promise, resolve } = Promise.withResolvers<ExchangeEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  get request(): string {
    return Buffer.concat(this.requestChunks).toString('latin1');
  }

  get response(): string {
    return Buffer.concat(this.responseChunks).toString('latin1');
  }

  requestChunk(chunk: Buffer): void {
    this.#mustBeOpen();
    this.requestChunks.push(chunk);
  }

  catchUp(): Promise<void> | undefined {
    return this.#brake();
  }

  requestEnd(): void {
    this.#mustBeOpen();
    this.requestEnded = true;
  }

  responseHead(head: { status: number; headers: string[]; at: number }): void {
    this.#mustBeOpen();
    this.head = head;
  }

  responseChunk(chunk: Buffer): void {
    this.#mustBeOpen();
    this.responseChunks.push(chunk);
  }

  end(end: ExchangeEnd): Promise<void> {
    this.#mustBeOpen();
    this.endRecord = end;
    this.#resolveEnded(end);
    return this.#gate();
  }

  #mustBeOpen(): void {
    if (this.endRecord !== undefined) throw new Error('recorded after the end');
  }
}

/** A recorder in memory. `holdEnds` makes the ends wait and `holdBodies` the bodies, as a slow disk does. */
export class FakeRecorder implements ExchangeRecorder {
  readonly recordings: FakeRecording[] = [];
  #gate: Promise<void> = Promise.resolve();
  #brake: Promise<void> | undefined;
  #waiters: (() => void)[] = [];

  begin(start: ExchangeStart): FakeRecording {
    const recording = new FakeRecording(`recording-${this.recordings.length + 1}`, start, {
      gate: () => this.#gate,
      brake: () => this.#brake,
    });
    this.recordings.push(recording);
    for (const resolve of this.#waiters.splice(0)) resolve();
    return recording;
  }

  /** Recording number `index`, as soon as it has begun. */
  async recording(index = 0): Promise<FakeRecording> {
    for (;;) {
      const recording = this.recordings[index];
      if (recording !== undefined) return recording;
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
    }
  }

  /** Ends wait from now on, until the returned function is called. */
  holdEnds(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  /** Senders of bodies are told to wait from now on, until the returned function is called. */
  holdBodies(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#brake = promise;
    return () => {
      this.#brake = undefined;
      resolve();
    };
  }
}
