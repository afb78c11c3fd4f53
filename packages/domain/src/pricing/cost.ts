import type { Usage } from '@claude-nexus/protocol';

import { findPrice } from './prices.ts';
import type { TokenPrices } from './prices.ts';

export interface CostContext {
  /** The model that answered, as the answer names it. */
  model: string | undefined;
  /** When the request was made: a Date or epoch milliseconds. */
  at: Date | number;
}

/** An exact fraction. */
interface Factor {
  times: bigint;
  by: bigint;
}

const NONE: Factor = { times: 1n, by: 1n };
const HALF: Factor = { times: 1n, by: 2n };
const US_GEOGRAPHY: Factor = { times: 11n, by: 10n };

const TIER_FACTORS: Readonly<Record<string, Factor>> = { standard: NONE, priority: NONE, batch: HALF };
const GEOGRAPHY_FACTORS: Readonly<Record<string, Factor>> = {
  global: NONE,
  not_available: NONE,
  us: US_GEOGRAPHY,
};

/** All arithmetic is in pico-dollars: small enough that every price and factor gives a whole number. */
const PICO_PER_NANO = 1000n;
const PICO_DIGITS = 12;
const WEB_SEARCH_PICO = 10_000_000_000n;

/**
 * List price of an answer in USD as an exact decimal string without trailing zeros ("0.0123", "0").
 * `undefined` where any part of it has no known price (model, speed, tier, geography): never zero, never a guess.
 */
export function costUsd(usage: Usage, { model, at }: CostContext): string | undefined {
  const row = model === undefined ? undefined : findPrice(model, Number(at));
  if (row === undefined) return undefined;
  const { longPrompt } = row;
  const isLong = longPrompt !== undefined && promptTokens(usage) > longPrompt.above;
  const tokens = tokenCost(usage, isLong ? longPrompt.prices : row.prices);
  const factors = [
    speedFactor(usage.speed, row.fastFactor),
    namedFactor(TIER_FACTORS, usage.serviceTier),
    namedFactor(GEOGRAPHY_FACTORS, usage.inferenceGeo),
  ];
  if (tokens === undefined || !factors.every((factor) => factor !== undefined)) return undefined;
  const cost = factors.reduce((sum, { times, by }) => (sum * times) / by, tokens * PICO_PER_NANO);
  return formatPico(cost + BigInt(usage.webSearchRequests) * WEB_SEARCH_PICO);
}

function promptTokens(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
}

/** Nano-dollars for all tokens; `undefined` where tokens were used that have no price. */
function tokenCost(usage: Usage, prices: TokenPrices): bigint | undefined {
  const parts: [tokens: number, price: number | undefined][] = [
    [usage.inputTokens, prices.input],
    [usage.outputTokens, prices.output],
    [usage.cacheWrite5mTokens, prices.cacheWrite5m],
    [usage.cacheWrite1hTokens, prices.cacheWrite1h],
    [usage.cacheReadTokens, prices.cacheRead],
  ];
  let sum = 0n;
  for (const [tokens, price] of parts) {
    if (tokens > 0 && price === undefined) return undefined;
    sum += BigInt(tokens) * BigInt(price ?? 0);
  }
  return sum;
}

function speedFactor(speed: string | undefined, fastFactor: bigint | undefined): Factor | undefined {
  if (speed === undefined || speed === 'standard') return NONE;
  return speed === 'fast' && fastFactor !== undefined ? { times: fastFactor, by: 1n } : undefined;
}

function namedFactor(
  factors: Readonly<Record<string, Factor>>,
  name: string | undefined,
): Factor | undefined {
  if (name === undefined) return NONE;
  return Object.hasOwn(factors, name) ? factors[name] : undefined;
}

function formatPico(pico: bigint): string {
  const digits = pico.toString().padStart(PICO_DIGITS + 1, '0');
  const whole = digits.slice(0, -PICO_DIGITS);
  const fraction = digits.slice(-PICO_DIGITS).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
