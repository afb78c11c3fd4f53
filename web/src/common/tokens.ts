/** The members that make up the prompt of a request, or of many. */
interface PromptCounts {
  inputTokens: number | null;
  cacheReadTokens: number | null;
  cacheWrite5mTokens: number | null;
  cacheWrite1hTokens: number | null;
}

/** All tokens of the prompt: uncached, read from the cache and written to it. The API counts these apart. */
export function promptTokens(counts: PromptCounts): number | null {
  if (counts.inputTokens === null) return null;
  return counts.inputTokens + (counts.cacheReadTokens ?? 0) + (cacheWriteTokens(counts) ?? 0);
}

/** Tokens written to the cache, whatever their lifetime. */
export function cacheWriteTokens(
  counts: Pick<PromptCounts, 'cacheWrite5mTokens' | 'cacheWrite1hTokens'>,
): number | null {
  const { cacheWrite5mTokens: short, cacheWrite1hTokens: long } = counts;
  return short === null && long === null ? null : (short ?? 0) + (long ?? 0);
}

/** The part of the prompt that came from the cache, 0 to 1; null without a prompt. */
export function cachedShare(counts: PromptCounts): number | null {
  const prompt = promptTokens(counts);
  return prompt === null || prompt === 0 ? null : (counts.cacheReadTokens ?? 0) / prompt;
}
