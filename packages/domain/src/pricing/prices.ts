/** Prices per token in nano-dollars, which is USD per million tokens times 1000: always a whole number. */
export interface TokenPrices {
  input: number;
  output: number;
  /** Absent where no price is known. */
  cacheWrite5m?: number;
  cacheWrite1h?: number;
  cacheRead: number;
}

/** What a model costs from some moment on. */
export interface PriceRow {
  /** First moment the row applies, epoch milliseconds. */
  from: number;
  prices: TokenPrices;
  /** Prices of the whole request, output included, once its prompt is longer than so many tokens. */
  longPrompt?: { above: number; prices: TokenPrices };
  /** Factor of `speed: "fast"` on all token prices; absent where no such price is known. */
  fastFactor?: bigint;
}

/** Prices in USD per million tokens, as published. */
interface PublishedPrices {
  in: number;
  out: number;
  write5m?: number;
  write1h?: number;
  read: number;
}

const BEGINNING = Number.NEGATIVE_INFINITY;
const OPUS_5 = perMillion({ in: 5, out: 25, write5m: 6.25, write1h: 10, read: 0.5 });
const OPUS_4 = perMillion({ in: 15, out: 75, write5m: 18.75, write1h: 30, read: 1.5 });
const SONNET_4 = perMillion({ in: 3, out: 15, write5m: 3.75, write1h: 6, read: 0.3 });

/**
 * Price rows by model id without date suffix, oldest first. A change of price is a new row: requests keep the price
 * of their time. A model that is not here has no price.
 */
export const PRICES: Readonly<Record<string, readonly PriceRow[]>> = {
  'claude-fable-5-2': [
    {
      from: BEGINNING,
      prices: perMillion({ in: 8, out: 40, write5m: 10, write1h: 16, read: 0.2 }),
      fastFactor: 2n,
    },
  ],
  'claude-mythos-5-2': [{ from: BEGINNING, prices: perMillion({ in: 8, out: 40, read: 0.2 }) }],
  'claude-fable-5-1': [
    { from: BEGINNING, prices: perMillion({ in: 10, out: 50, write5m: 12.5, write1h: 20, read: 0.25 }) },
  ],
  'claude-fable-5': [
    { from: BEGINNING, prices: perMillion({ in: 10, out: 50, write5m: 12.5, write1h: 20, read: 1 }) },
  ],
  'claude-opus-5-5': [
    {
      from: BEGINNING,
      prices: perMillion({ in: 4, out: 20, write5m: 5, write1h: 8, read: 0.2 }),
      fastFactor: 2n,
    },
  ],
  'claude-opus-5': [{ from: BEGINNING, prices: OPUS_5, fastFactor: 2n }],
  'claude-opus-4-8': [{ from: BEGINNING, prices: OPUS_5, fastFactor: 2n }],
  'claude-opus-4-7': [{ from: BEGINNING, prices: OPUS_5 }],
  'claude-opus-4-6': [{ from: BEGINNING, prices: OPUS_5 }],
  'claude-opus-4-5': [{ from: BEGINNING, prices: OPUS_5 }],
  'claude-opus-4-1': [{ from: BEGINNING, prices: OPUS_4 }],
  'claude-opus-4': [{ from: BEGINNING, prices: OPUS_4 }],
  'claude-sonnet-5-5': [
    { from: BEGINNING, prices: perMillion({ in: 2, out: 10, write5m: 2.5, write1h: 4, read: 0.2 }) },
    {
      from: Date.UTC(2026, 9, 7),
      prices: perMillion({ in: 2, out: 10, write5m: 2.5, write1h: 4, read: 0.1 }),
    },
  ],
  'claude-sonnet-5': [
    { from: BEGINNING, prices: perMillion({ in: 2, out: 10, write5m: 2.5, write1h: 4, read: 0.2 }) },
  ],
  'claude-sonnet-4-6': [{ from: BEGINNING, prices: SONNET_4 }],
  'claude-sonnet-4-5': [{ from: BEGINNING, prices: SONNET_4 }],
  'claude-haiku-5-5': [
    {
      from: BEGINNING,
      prices: perMillion({ in: 0.1, out: 0.5, write5m: 0.125, write1h: 0.2, read: 0.01 }),
      longPrompt: {
        above: 100_000,
        prices: perMillion({ in: 0.5, out: 2.5, write5m: 0.625, write1h: 1, read: 0.05 }),
      },
    },
  ],
  'claude-haiku-4-5': [
    { from: BEGINNING, prices: perMillion({ in: 1, out: 5, write5m: 1.25, write1h: 2, read: 0.1 }) },
  ],
  'claude-3-5-haiku': [
    { from: BEGINNING, prices: perMillion({ in: 0.8, out: 4, write5m: 1, write1h: 1.6, read: 0.08 }) },
  ],
};

/** Other documented names of models above. */
const ALIASES: Readonly<Record<string, string>> = {
  'claude-haiku-3-5': 'claude-3-5-haiku',
  'claude-opus-4-0': 'claude-opus-4',
};

const VERSION_SUFFIX = /-(?:20\d{6}|latest)$/;

/** The price row of a model (any documented spelling of its id) at a moment; `undefined` for an unknown model. */
export function findPrice(model: string, at: number): PriceRow | undefined {
  const name = model.replace(VERSION_SUFFIX, '');
  const canonical = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  if (!Object.hasOwn(PRICES, canonical)) return undefined;
  return PRICES[canonical]?.findLast((row) => row.from <= at);
}

function perMillion(published: PublishedPrices): TokenPrices {
  return {
    input: nano(published.in),
    output: nano(published.out),
    ...(published.write5m !== undefined && { cacheWrite5m: nano(published.write5m) }),
    ...(published.write1h !== undefined && { cacheWrite1h: nano(published.write1h) }),
    cacheRead: nano(published.read),
  };
}

/** Rounding only undoes what binary fractions do to prices like 0.2; three decimals are the most ever published. */
function nano(usd: number): number {
  return Math.round(usd * 1000);
}
