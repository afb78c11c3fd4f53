import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { redactText } from '@claude-nexus/runtime';

import { isOurs } from './start/database.ts';
import { Gateway } from './start/gateway.ts';
import { readStartSettings } from './start/settings.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const report = (line: string): void => console.log(redactText(line));

/** Stops on the first signal, in order; a second one ends everything at once. */
function handleSignals(gateway: Gateway): void {
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) {
      gateway.kill();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
    report('Stopping: waiting for open streams to end; Ctrl-C again stops at once.');
    gateway.stop().then(
      () => {
        report('Stopped.');
        process.exit();
      },
      (error: unknown) => fail(error),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  onNpmGone(() => onSignal('SIGTERM'));
}

/** npm sends a SIGTERM it gets to the shell it runs us in; the shell dies of it and passes nothing on. */
function onNpmGone(stop: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}

/** Errors of ours are one line; anything else is a defect and comes with its stack. */
function fail(error: unknown): never {
  const stack = error instanceof Error ? error.stack : undefined;
  const text = isOurs(error) ? error.message : (stack ?? String(error));
  console.error(redactText(text));
  process.exit(1);
}

async function main(): Promise<void> {
  const { settings, warnings, help } = readStartSettings(process.argv.slice(2), process.env, root);
  if (help !== undefined) {
    process.stdout.write(help);
    return;
  }
  for (const line of warnings) report(line);
  const gateway = new Gateway({ settings, env: process.env, root, report });
  handleSignals(gateway);
  try {
    process.stdout.write(await gateway.start());
  } catch (error) {
    // Ctrl-C during the start: the handler above is stopping everything and exits by itself.
    if (gateway.stopping) return;
    await gateway.stop();
    throw error;
  }
}

await main().catch((error: unknown) => fail(error));
