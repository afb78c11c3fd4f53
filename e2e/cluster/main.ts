import { RealCluster } from './real-cluster.ts';

/*
 * Keeps a node up until it is interrupted, for people and for several runs of the tests: KUBECONFIG=... npm run test:cluster
 */

const real = await RealCluster.up();
process.stdout.write(`export KUBECONFIG=${real.state.kubeconfig}\n`);
await new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  // Nothing else keeps the process.
  setInterval(() => undefined, 60_000);
});
await real.down();
process.exit();
