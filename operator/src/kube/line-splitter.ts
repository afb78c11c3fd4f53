import { ApiUnreachableError } from './errors.ts';

const NEWLINE = 0x0a;

/** Cuts a byte stream into lines. A character may be cut by a chunk: text is made of whole lines only. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** @throws {ApiUnreachableError} when a line is longer than allowed */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#flush();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** The stream is complete: what has no line end is a line too. */
  end(): void {
    this.#flush();
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) {
      throw new ApiUnreachableError(`the API server sent a line of more than ${this.#maxBytes} bytes`);
    }
    this.#parts.push(part);
  }

  #flush(): void {
    const line = Buffer.concat(this.#parts).toString('utf8').trim();
    this.#parts = [];
    this.#bytes = 0;
    if (line !== '') this.#onLine(line);
  }
}
