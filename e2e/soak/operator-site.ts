import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { findPrograms } from '../fixtures/control-plane/binaries.ts';
import { FaultProxy } from '../fixtures/control-plane/fault-proxy.ts';
import { toolsOfThisMachine } from '../fixtures/control-plane/tools.ts';
import { freePort } from '../fixtures/program.ts';
import { IN_CONTAINER, runOperator } from '../operator/operator-process.ts';
import { OwnPlane } from '../operator/own-plane.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import type { Held } from './probe.ts';
import type { Sample } from './soak-site.ts';

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url));

/** An operator behind a fault proxy, on a control plane of its own, that can be asked what it holds. */
export class OperatorSite {
  readonly plane: OwnPlane;
  readonly proxy: FaultProxy;
  readonly operator: OperatorProcess;
  readonly #probePort: number;

  private constructor(
    plane: OwnPlane,
    { proxy, operator, probePort }: { proxy: FaultProxy; operator: OperatorProcess; probePort: number },
  ) {
    this.plane = plane;
    this.proxy = proxy;
    this.operator = operator;
    this.#probePort = probePort;
  }

  /** @throws Error where there is no control plane to be had, with the reason */
  static async start(env: Readonly<Record<string, string>>): Promise<OperatorSite> {
    const programs = await findPrograms(toolsOfThisMachine());
    if ('missing' in programs) throw new Error(programs.missing);
    const plane = await OwnPlane.start(programs.folder);
    const proxy = await FaultProxy.start(plane.cluster.connection);
    const probePort = await freePort();
    const operator = await runOperator(plane.cluster, {
      server: proxy.url,
      nodeFlags: [...IN_CONTAINER, '--expose-gc', '--import', PROBE],
      env: { SOAK_PROBE_PORT: String(probePort), ...env },
    });
    return new OperatorSite(plane, { proxy, operator, probePort });
  }

  async sample(): Promise<Sample> {
    const answer = await fetch(`http://127.0.0.1:${this.#probePort}/`);
    const held = (await answer.json()) as Held;
    const descriptors = await readdir(`/proc/${this.operator.pid}/fd`).catch(() => undefined);
    return { service: 'operator', ...held, remembered: 0, descriptors: descriptors?.length };
  }

  /** What the operator has complained about; connections are cut on purpose, and a request may have been on one. */
  get complaints(): string[] {
    return this.operator.output
      .split('\n')
      .filter((line) => /"level":"(error|fatal)"|MaxListenersExceeded|leak/i.test(line))
      .filter((line) => !line.includes('NEXUS_KUBE_API_UNREACHABLE'));
  }

  async stop(): Promise<void> {
    await this.operator.stop();
    await this.proxy.stop();
    await this.plane.stop();
  }
}
