import { NexusError } from '@claude-nexus/runtime';

import { claudeNexusCrd } from './api/v1alpha1/crd.ts';
import type { ApiClient } from './kube/api-client.ts';
import { sleep } from './kube/clock.ts';
import type { Clock } from './kube/clock.ts';
import { KINDS } from './kube/kinds.ts';
import { listAt, textAt } from './policies/children.ts';
import { FIELD_MANAGER } from './resources/names.ts';

const POLL_MS = 200;
const PATIENCE_MS = 30_000;

/** The API server took the CRD and does not serve it. */
export class CrdNotEstablishedError extends NexusError {
  readonly code = 'NEXUS_CRD_NOT_ESTABLISHED';
}

/**
 * Applies the CRD this version brings and waits until it is served, so that an upgrade of the operator carries it.
 *
 * @param signal ends the waiting early
 * @throws {CrdNotEstablishedError} after half a minute
 * @throws {ApiError}
 */
export async function applyCrd(client: ApiClient, clock: Clock, signal: AbortSignal): Promise<void> {
  const crd = claudeNexusCrd();
  const kind = KINDS.CustomResourceDefinition;
  await client.apply(kind, crd, { fieldManager: FIELD_MANAGER, force: true });
  const begin = clock.monotonic();
  while (!signal.aborted && clock.monotonic() - begin < PATIENCE_MS) {
    const live = await client.get(kind, { name: crd.metadata.name });
    const established = listAt(live, 'status', 'conditions').some(
      (condition) => textAt(condition, 'type') === 'Established' && textAt(condition, 'status') === 'True',
    );
    if (established) return;
    await sleep(clock, POLL_MS, signal);
  }
  if (signal.aborted) return;
  throw new CrdNotEstablishedError(
    `the API server does not serve ${crd.metadata.name}; kubectl describe crd ${crd.metadata.name} says why`,
  );
}
