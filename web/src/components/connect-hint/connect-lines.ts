/** One way to connect, to be pasted into a terminal. */
export interface ConnectLine {
  title: string;
  text: string;
}

const PLACEHOLDER = 'https://your-proxy.example';

/** The ways to connect Claude Code to the proxy at `url`, the simplest first. */
export function connectLines(url: string | null): ConnectLine[] {
  const address = (url ?? PLACEHOLDER).replace(/\/+$/, '');
  return [
    { title: 'For one session, in a shell', text: `ANTHROPIC_BASE_URL=${address} claude` },
    { title: 'For one session, in PowerShell', text: `$env:ANTHROPIC_BASE_URL = '${address}'; claude` },
    { title: 'For good, on macOS, Linux and WSL', text: `curl -fsS ${address}/client-setup/setup.sh | sh` },
    { title: 'For good, on Windows', text: `irm ${address}/client-setup/setup.ps1 | iex` },
  ];
}
