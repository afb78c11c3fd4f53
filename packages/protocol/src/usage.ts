import { isJsonObject } from './json-value.ts';
import type { JsonObject } from './json-value.ts';

/** Billable quantities of one answer. Input is split as billed: `inputTokens` excludes all cache tokens. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWrite5mTokens: number;
  cacheWrite1hTokens: number;
  webSearchRequests: number;
  webFetchRequests: number;
  /** Part of `outputTokens`, not in addition to it. */
  thinkingTokens: number;
  serviceTier?: string;
  inferenceGeo?: string;
  speed?: string;
}

/** Labels are short words; anything longer is not one and would only bloat the stored row. */
const MAX_LABEL_LENGTH = 64;

/**
 * Folds the `usage` objects of one answer together. `message_delta.usage` is cumulative and incomplete: per
 * field the last value wins, and null or absent keeps what an earlier event said (the cache breakdown, service
 * tier, geography and speed come with `message_start` only). Anything but a non-negative safe integer is ignored.
 */
export class UsageAccumulator {
  readonly #counts = new Map<string, number>();
  readonly #labels = new Map<string, string>();
  #seen = false;

  /** Takes `message_start.message.usage`, or the `usage` of an answer that was not streamed. */
  start(usage: unknown): void {
    this.#merge(usage);
  }

  /** Takes one `message_delta.usage`. */
  delta(usage: unknown): void {
    this.#merge(usage);
  }

  /** The totals so far; `undefined` while no usage object was seen. */
  read(): Usage | undefined {
    if (!this.#seen) return undefined;
    const count = (name: string): number => this.#counts.get(name) ?? 0;
    const written5m = count('ephemeral_5m_input_tokens');
    const written1h = count('ephemeral_1h_input_tokens');
    // The total may grow after the breakdown was sent (server tools); what has no breakdown counts as 5 minutes.
    const written = this.#counts.get('cache_creation_input_tokens') ?? written5m + written1h;
    const cacheWrite1hTokens = Math.min(written1h, written);
    return {
      inputTokens: count('input_tokens'),
      outputTokens: count('output_tokens'),
      cacheReadTokens: count('cache_read_input_tokens'),
      cacheWrite5mTokens: written - cacheWrite1hTokens,
      cacheWrite1hTokens,
      webSearchRequests: count('web_search_requests'),
      webFetchRequests: count('web_fetch_requests'),
      thinkingTokens: count('thinking_tokens'),
      ...this.#readLabels(),
    };
  }

  #readLabels(): Pick<Usage, 'serviceTier' | 'inferenceGeo' | 'speed'> {
    const serviceTier = this.#labels.get('service_tier');
    const inferenceGeo = this.#labels.get('inference_geo');
    const speed = this.#labels.get('speed');
    return {
      ...(serviceTier !== undefined && { serviceTier }),
      ...(inferenceGeo !== undefined && { inferenceGeo }),
      ...(speed !== undefined && { speed }),
    };
  }

  #merge(usage: unknown): void {
    if (!isJsonObject(usage)) return;
    this.#seen = true;
    this.#takeCounts(usage, [
      'input_tokens',
      'output_tokens',
      'cache_read_input_tokens',
      'cache_creation_input_tokens',
    ]);
    this.#takeCounts(usage['cache_creation'], ['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens']);
    this.#takeCounts(usage['server_tool_use'], ['web_search_requests', 'web_fetch_requests']);
    this.#takeCounts(usage['output_tokens_details'], ['thinking_tokens']);
    this.#takeLabels(usage, ['service_tier', 'inference_geo', 'speed']);
  }

  #takeCounts(source: unknown, names: readonly string[]): void {
    if (!isJsonObject(source)) return;
    for (const name of names) {
      const value = source[name];
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
        this.#counts.set(name, value);
    }
  }

  #takeLabels(source: JsonObject, names: readonly string[]): void {
    for (const name of names) {
      const value = source[name];
      if (typeof value === 'string' && value.length <= MAX_LABEL_LENGTH) this.#labels.set(name, value);
    }
  }
}
