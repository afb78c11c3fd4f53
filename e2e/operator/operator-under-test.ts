import { runOperator } from './operator-process.ts';
import type { OperatorOptions, OperatorProcess } from './operator-process.ts';
import type { Cluster } from '../fixtures/control-plane/cluster.ts';

/** An operator that a test ends and starts anew with the same settings, and that remembers what all of them printed. */
export class OperatorUnderTest {
  readonly #cluster: Cluster;
  readonly #options: OperatorOptions;
  readonly #outputs: string[] = [];
  #process: OperatorProcess | undefined;

  private constructor(cluster: Cluster, options: OperatorOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  static async start(cluster: Cluster, options: OperatorOptions = {}): Promise<OperatorUnderTest> {
    const operator = new OperatorUnderTest(cluster, options);
    await operator.start();
    return operator;
  }

  /** Everything all its processes have printed. */
  get output(): string {
    return [...this.#outputs, this.#process?.output ?? ''].join('');
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#process = await runOperator(this.#cluster, {
      ...this.#options,
      env: { ...this.#options.env, ...env },
    });
  }

  metrics(): Promise<string> {
    if (this.#process === undefined) throw new Error('the operator does not run');
    return this.#process.metrics();
  }

  /** Ends it, if it runs. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    await process?.stop(signal);
    this.#outputs.push(process?.output ?? '');
  }
}
