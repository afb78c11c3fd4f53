import { UpstreamAnswerError } from '../errors.ts';

/** Most bytes of chunk extensions in one answer. Nobody uses them; without a bound they are a body nobody counts. */
const MAX_EXTENSION_BYTES = 16 * 1024;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const TAB = 9;
const SPACE = 32;
const DELETE = 127;

type FramingState = 'first' | 'size' | 'extension' | 'sizeEnd' | 'dataCr' | 'dataLf';

/**
 * The bytes between the data of chunks (RFC 9112 section 7.1), one at a time, wherever the network cuts them. As
 * strict as the grammar: two readers that disagree about a size are what smuggling needs.
 */
export class ChunkFraming {
  #state: FramingState = 'first';
  #size = 0;
  #extensionBytes = 0;

  /** Begins an answer. */
  reset(): void {
    this.#state = 'first';
    this.#size = 0;
    this.#extensionBytes = 0;
  }

  /**
   * @returns the size of the chunk whose data begins with the next byte, 0 for the last one; -1: not there yet
   * @throws {UpstreamAnswerError}
   */
  next(byte: number): number {
    switch (this.#state) {
      case 'first':
      case 'size':
        this.#sizeByte(byte);
        return -1;
      case 'extension':
        this.#extensionByte(byte);
        return -1;
      case 'sizeEnd':
        this.#expect(byte, LF);
        this.#state = 'dataCr';
        return this.#size;
      case 'dataCr':
        this.#expect(byte, CR);
        this.#state = 'dataLf';
        return -1;
      case 'dataLf':
      default:
        this.#expect(byte, LF);
        this.#state = 'first';
        this.#size = 0;
        return -1;
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      if (this.#size > Number.MAX_SAFE_INTEGER) throw new UpstreamAnswerError('a chunk size is too large');
      this.#state = 'size';
    } else if (this.#state === 'first') {
      throw new UpstreamAnswerError('a chunk size is missing');
    } else if (byte === SEMICOLON) {
      this.#state = 'extension';
    } else {
      this.#expect(byte, CR);
      this.#state = 'sizeEnd';
    }
  }

  #extensionByte(byte: number): void {
    if (byte === CR) {
      this.#state = 'sizeEnd';
      return;
    }
    this.#extensionBytes++;
    const control = (byte < SPACE && byte !== TAB) || byte === DELETE;
    if (control || this.#extensionBytes > MAX_EXTENSION_BYTES) {
      throw new UpstreamAnswerError('chunk extensions are invalid or too long');
    }
  }

  #expect(byte: number, wanted: number): void {
    if (byte !== wanted) throw new UpstreamAnswerError('the framing of a chunk is broken');
  }
}

/** Value of a hexadecimal digit, -1 for any other byte. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  // The bit that lower-cases letters.
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
