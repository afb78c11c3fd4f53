import { describeConfig, readFlags, runProgram } from '@claude-nexus/runtime';

import { PROXY_CONFIG, readProxyConfig } from './config.ts';
import { startProxy } from './start-proxy.ts';
import { availableMemory, tuneCollector } from './memory.ts';

const USAGE = `The recording proxy of ClaudeNexus. It takes no flags; settings are environment variables, which
node --env-file=FILE can read from a file:

${describeConfig(PROXY_CONFIG)}
`;

tuneCollector(availableMemory());
await runProgram('proxy', async () => {
  const flags = readFlags(PROXY_CONFIG, process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { config, warnings } = readProxyConfig(process.env);
  await startProxy(config, warnings);
});
