/** Unsigned LEB128 for safe integers. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes `value` at `at` and returns the offset after it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let offset = at;
  let rest = value;
  while (rest >= 128) {
    target[offset++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[offset++] = rest;
  return offset;
}

/** Reads consecutive varints. Past the end it yields zeros. */
export class VarintReader {
  readonly #data: Uint8Array;
  offset: number;

  constructor(data: Uint8Array, offset = 0) {
    this.#data = data;
    this.offset = offset;
  }

  next(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#data[this.offset++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  }
}
