import type { TestProject } from 'vitest/node';

import { lacking } from '../fixtures/prometheus.ts';
import { RealCluster } from './real-cluster.ts';
import type { ClusterImages, RealClusterState } from './real-cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The cluster of the run, for `RealCluster.of`. */
    realCluster: RealClusterState;
    /** What it can run: the sources as they are. */
    clusterImages: ClusterImages;
  }
}

/** Brings the cluster up with the images of the sources as they are. @returns the tear-down */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Before what takes half an hour.
  const missing = await lacking('prometheus');
  if (missing !== undefined) throw new Error(missing);
  const real = await RealCluster.up();
  try {
    project.provide('clusterImages', await real.buildImages('test'));
  } catch (error) {
    await real.down();
    throw error;
  }
  project.provide('realCluster', real.state);
  return () => real.down();
}
