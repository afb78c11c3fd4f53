import type { RequestOutcome } from '@claude-nexus/api-contract';

/** How a request ended, in a few words: an error by its status and type. */
export function outcomeText(
  outcome: RequestOutcome,
  { status, errorType }: { status: number | null; errorType: string | null },
): string {
  if (outcome !== 'error') return outcome;
  const type = errorType?.replace(/_error$/, '').replaceAll('_', ' ');
  // A stream that fails under way has status 200, which would say the contrary.
  const shownStatus = status !== null && status >= 400 ? String(status) : undefined;
  return [shownStatus ?? 'error', type].filter(Boolean).join(' ');
}
