import { serveCluster } from './features.ts';
import { stateOf, withoutRetained, writesAtRest } from './oracles.ts';
import { newResource, resourcePath, untilReady } from './resource.ts';
import { until } from '../fixtures/program.ts';
import { resourcesPath } from './crd.ts';
import type { Lab } from './set-up.ts';
import type { ResourceRef } from './resource.ts';

type Spec = Readonly<Record<string, unknown>>;
type State = Readonly<Record<string, unknown>>;

/** Installs specs side by side, each in a namespace of its own, and compares what became of them. */
export class Comparison {
  readonly #lab: Lab;
  readonly #prepare: (namespace: string) => Promise<void>;

  /** @param prepare makes in a namespace what users have made before they install */
  constructor(lab: Lab, prepare: (namespace: string) => Promise<void>) {
    this.#lab = lab;
    this.#prepare = prepare;
  }

  /** Installs a spec without waiting for more than its being there. */
  async install(spec: Spec, name = 'gateway'): Promise<ResourceRef> {
    const namespace = await this.#lab.namespace();
    await this.#prepare(namespace);
    await this.#lab.cluster.api().create(resourcesPath(namespace), newResource(name, spec));
    return { namespace, name };
  }

  /** Gives a resource another spec, all of it, as `kubectl replace` does. */
  async change(ref: ResourceRef, spec: Spec): Promise<void> {
    const api = this.#lab.cluster.api();
    await until('the change of a resource whose status is written, too', async () => {
      const { metadata } = await api.get(resourcePath(ref));
      const { resourceVersion, annotations } = metadata;
      const resource = newResource(ref.name, spec, annotations);
      const body = { ...resource, metadata: { name: ref.name, resourceVersion, annotations } };
      const { status } = await api.request('PUT', resourcePath(ref), body);
      if (status === 409) return undefined;
      // Says what is wrong.
      return status < 300 ? true : api.object('PUT', resourcePath(ref), body);
    });
  }

  /** Waits until a resource is ready and nothing is written any more. @returns its state, and what was written at rest */
  async settled(ref: ResourceRef, spec: Spec): Promise<{ readonly state: State; readonly atRest: string[] }> {
    const api = this.#lab.cluster.api();
    const database = spec['database'];
    if (typeof database === 'object' && database !== null && 'cloudNativePG' in database) {
      await serveCluster(api, ref);
    }
    await untilReady(api, ref);
    const atRest = await writesAtRest(this.#lab.cluster, ref.namespace);
    return { state: await stateOf(api, ref), atRest };
  }

  /**
   * The states of a resource that has got a spec, and of a fresh install of it: equal when its past left no trace but
   * data.
   */
  async withFresh(ref: ResourceRef, spec: Spec): Promise<{ readonly got: State; readonly fresh: State }> {
    const other = await this.install(spec, ref.name);
    const [{ state, atRest }, fresh] = await Promise.all([
      this.settled(ref, spec),
      this.settled(other, spec),
    ]);
    const none: State = { 'writes at rest': [] };
    return {
      got: { ...withoutRetained(state, fresh.state), 'writes at rest': atRest },
      fresh: { ...fresh.state, ...none },
    };
  }
}
