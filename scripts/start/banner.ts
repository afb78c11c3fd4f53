/** What a person needs to know once everything runs. */
export interface Ready {
  readonly proxyUrl: string;
  readonly dashboardUrl: string;
  readonly dashboardKey: string;
  readonly dataDir: string;
  /** Where the database is; without its password. */
  readonly database: string;
  readonly metricsUrls: readonly string[];
}

/** The text that `npm start` prints once, when it is ready. */
export function readyText(ready: Ready): string {
  return `
ClaudeNexus is ready.

  Proxy           ${ready.proxyUrl}
  Dashboard       ${ready.dashboardUrl}
  Login key       ${ready.dashboardKey}
  Data directory  ${ready.dataDir}
  Database        ${ready.database}
  Metrics         ${ready.metricsUrls.join('  ')}

Point Claude Code at it:

  ANTHROPIC_BASE_URL=${ready.proxyUrl} claude

Ctrl-C stops everything.
`;
}
