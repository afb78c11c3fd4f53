import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { run } from './command.ts';
import type { RealCluster } from './real-cluster.ts';

/** A port of a pod or Service that is reached on this machine. */
export interface Forwarded {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Forwards a port of something such as `service/gateway-dashboard`. Ends with the pod it leads to. */
export async function forward(
  real: RealCluster,
  namespace: string,
  target: string,
  port: number,
): Promise<Forwarded> {
  const { kubeconfig, connection } = real.state;
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'port-forward', target, `:${port}`];
  const child = spawn(connection.kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  };
  // The pipe has to be read on, or kubectl would wait.
  const lines = createInterface({ input: child.stdout });
  const local = await new Promise<string | undefined>((resolve) => {
    lines.on('line', (line) => resolve(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
    lines.once('close', () => resolve(undefined));
  });
  if (local !== undefined) return { url: `http://127.0.0.1:${local}`, close };
  await close();
  throw new Error(`${target} in ${namespace} cannot be forwarded`);
}

/** Runs a program in a pod. @param input its standard input @returns its standard output */
export async function execute(
  real: RealCluster,
  { namespace, pod, command }: { namespace: string; pod: string; command: readonly string[] },
  input = '',
): Promise<string> {
  const { kubeconfig, connection } = real.state;
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'exec', '-i', pod, '--', ...command];
  return run([connection.kubectl, ...args], { input });
}

/** Waits for a condition of something such as `pod/tester`. */
export async function untilCondition(
  real: RealCluster,
  { namespace, object, condition = 'Ready' }: { namespace: string; object: string; condition?: string },
  seconds = 180,
): Promise<void> {
  const wait = ['wait', object, '-n', namespace, `--for=condition=${condition}`, `--timeout=${seconds}s`];
  await real.cluster.kubectl(wait);
}
