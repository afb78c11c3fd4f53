import { setFlagsFromString } from 'node:v8';

import { describeConfig, readFlags, runProgram } from '@claude-nexus/runtime';

import { OPERATOR_CONFIG, readOperatorConfig } from './config.ts';
import { startOperator } from './start-operator.ts';

const USAGE = `The Kubernetes operator of ClaudeNexus. It takes no flags; settings are environment variables:

${describeConfig(OPERATOR_CONFIG)}
`;

// What it caches lives long: a heap that doubles between collections would hold as much garbage again.
setFlagsFromString('--heap-growing-percent=20');

await runProgram('operator', async () => {
  const flags = readFlags(OPERATOR_CONFIG, process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { config, warnings } = readOperatorConfig(process.env);
  await startOperator(config, warnings);
});
