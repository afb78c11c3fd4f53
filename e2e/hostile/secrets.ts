/** Stands at the start of every secret of the test, so that a leak of any part of the configuration is one search. */
const MARK = 'LEAKZQ';
/** Stands in what is meant to be stored: where this is not found, the search itself is broken. */
export const CONTROL = 'CONTROLLED';

/** A secret nobody may find again, named after where it is used. */
export function secret(name: string): string {
  return `${MARK}${name}0123456789abcdef`;
}

/** The spellings under which bytes may hide a text: plain, hexadecimal, and base64 at each of its three offsets. */
function spellings(text: string): string[] {
  const hex = Buffer.from(text).toString('hex');
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.from(' '.repeat(offset) + text).toString('base64url');
    // The characters at either end depend on the neighbours, too.
    return encoded.slice(offset === 0 ? 0 : offset + 1, Math.floor(((offset + text.length) * 8) / 6) - 1);
  });
  return [text, hex, encodeURIComponent(text), ...base64];
}

/** Everything a gateway leaves behind, by where it was found. */
export class Findings {
  readonly #sinks = new Map<string, string>();

  /** @param content bytes, or text */
  add(sink: string, content: string | Buffer): void {
    const text = typeof content === 'string' ? content : content.toString('latin1');
    this.#sinks.set(sink, (this.#sinks.get(sink) ?? '') + text);
  }

  /** Bytes collected per sink. */
  get sizes(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#sinks].map(([sink, text]) => [sink, text.length]));
  }

  /** Where a secret is, with what stands around it. */
  leaks(): string[] {
    return this.find(MARK);
  }

  /** Where a text is, in whatever spelling and case. */
  find(text: string): string[] {
    const found: string[] = [];
    for (const [sink, content] of this.#sinks) {
      const lower = content.toLowerCase();
      for (const spelling of new Set(spellings(text).map((each) => each.toLowerCase()))) {
        for (let at = lower.indexOf(spelling); at !== -1; at = lower.indexOf(spelling, at + 1)) {
          found.push(`${sink}: ${JSON.stringify(content.slice(Math.max(0, at - 80), at + 60))}`);
        }
      }
    }
    return found;
  }
}
