import { describeConfig, readFlags, runProgram } from '@claude-nexus/runtime';

import { OPERATOR_CONFIG, readOperatorConfig } from './config.ts';
import { startOperator } from './start-operator.ts';

const USAGE = `The Kubernetes operator of ClaudeNexus. It takes no flags; settings are environment variables:

${describeConfig(OPERATOR_CONFIG)}
`;

await runProgram('operator', async () => {
  const flags = readFlags(OPERATOR_CONFIG, process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { config, warnings } = readOperatorConfig(process.env);
  await startOperator(config, warnings);
});
