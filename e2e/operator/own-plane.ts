import { ControlPlane } from '../fixtures/control-plane/control-plane.ts';
import { Kubelet } from '../fixtures/control-plane/kubelet.ts';
import { CRD_FILE } from './crd.ts';
import type { Cluster } from '../fixtures/control-plane/cluster.ts';

/** A control plane of one's own with a kubelet: it may be stopped, put back to an older state or loaded with work. */
export class OwnPlane {
  readonly plane: ControlPlane;
  readonly #kubelet: Kubelet;

  private constructor(plane: ControlPlane, kubelet: Kubelet) {
    this.plane = plane;
    this.#kubelet = kubelet;
  }

  /** @param programs folder that holds them */
  static async start(programs: string): Promise<OwnPlane> {
    const users = { kubelet: ['system:masters'], operator: [] };
    const plane = await ControlPlane.start({ programs, users, definitions: [CRD_FILE] });
    return new OwnPlane(plane, await Kubelet.start(plane.cluster.api('kubelet'), []));
  }

  get cluster(): Cluster {
    return this.plane.cluster;
  }

  /** Creates a namespace that the kubelet serves. @returns its name */
  async namespace(): Promise<string> {
    const name = await this.cluster.createNamespace();
    this.#kubelet.serve(name);
    return name;
  }

  async stop(): Promise<void> {
    // What it could not write while the API server was away is no matter.
    await this.#kubelet.stop().catch(() => undefined);
    await this.plane.stop();
  }
}
