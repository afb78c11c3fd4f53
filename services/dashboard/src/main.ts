import { describeConfig, readFlags, runProgram } from '@claude-nexus/runtime';
import { dashboardSettings, readDashboardConfig } from './config.ts';
import { startDashboard } from './start-dashboard.ts';

const USAGE = `The dashboard of ClaudeNexus. It takes no flags; settings are environment variables, which
node --env-file=FILE can read from a file:

${describeConfig(dashboardSettings)}
`;

await runProgram('dashboard', async () => {
  const flags = readFlags(dashboardSettings, process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { config, warnings } = readDashboardConfig(process.env);
  await startDashboard(config, warnings);
});
