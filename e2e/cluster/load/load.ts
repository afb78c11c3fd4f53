import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

import { eventually } from '../eventually.ts';
import type { RealCluster } from '../real-cluster.ts';
import type { LoadOptions, LoadReport } from './protocol.ts';

const CLIENT = 'e2e/cluster/load/client.ts';
const STDERR_TAIL = 2000;

/** What clients saw in a while. */
export interface LoadSeen {
  /** `request-id` of each answer received in full. */
  readonly answers: readonly string[];
  readonly failures: readonly string[];
  /** Attempts that the SDK repeated by itself. */
  readonly retries: number;
  /** Fewest streams that were open at a time, since the last `untilOpen`. */
  readonly fewestOpen: number;
}

/** Clients in the tester's pod that keep streams open and ask short questions until they are stopped. */
export class Load {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answers: string[] = [];
  readonly #failures: string[] = [];
  #streamAnswers = 0;
  #retries = 0;
  #open = 0;
  #fewestOpen = 0;
  #errors = '';
  /** What `take` has told already. */
  #taken = { answers: 0, failures: 0, retries: 0 };

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(JSON.parse(line) as LoadReport));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-STDERR_TAIL);
    });
    child.stdin.once('error', () => undefined);
  }

  /** Starts the clients in a pod of the tester's image. */
  static start(
    real: RealCluster,
    { namespace, pod }: { namespace: string; pod: string },
    options: LoadOptions,
  ): Load {
    const { kubeconfig, connection } = real.state;
    const command = ['node', CLIENT, JSON.stringify(options)];
    const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'exec', '-i', pod, '--', ...command];
    return new Load(spawn(connection.kubectl, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
  }

  /** `request-id` of every answer so far. */
  get answers(): readonly string[] {
    return this.#answers;
  }

  /** @returns what was seen since the last time this was asked */
  take(): LoadSeen {
    const seen = {
      answers: this.#answers.slice(this.#taken.answers),
      failures: this.#failures.slice(this.#taken.failures),
      retries: this.#retries - this.#taken.retries,
      fewestOpen: this.#fewestOpen,
    };
    this.#taken = {
      answers: this.#answers.length,
      failures: this.#failures.length,
      retries: this.#retries,
    };
    return seen;
  }

  /** Waits until so many streams are open; from then on the fewest are counted anew. */
  async untilOpen(count: number): Promise<void> {
    await this.#until(`${count} open streams`, () => this.#open >= count);
    this.#fewestOpen = this.#open;
  }

  /** Waits for so many answers from now on. */
  async more(count: number): Promise<void> {
    const wanted = this.#answers.length + count;
    await this.#until(`${count} answers`, () => this.#answers.length >= wanted);
  }

  /** Waits until so many streams have ended from now on. */
  async moreStreams(count: number): Promise<void> {
    const wanted = this.#streamAnswers + count;
    await this.#until(`the end of ${count} streams`, () => this.#streamAnswers >= wanted);
  }

  /** Breaks off what is under way. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #until(what: string, isThere: () => boolean): Promise<void> {
    await eventually(what, async () => {
      if (this.#hasEnded) throw new Error(`the clients have ended: ${this.#errors}`);
      return isThere() || undefined;
    });
  }

  #take(report: LoadReport): void {
    switch (report.kind) {
      case 'opened':
        this.#open += 1;
        return;
      case 'closed':
        this.#open -= 1;
        this.#fewestOpen = Math.min(this.#fewestOpen, this.#open);
        return;
      case 'retry':
        this.#retries += 1;
        return;
      case 'answer':
        this.#answers.push(report.id);
        if (report.isStream) this.#streamAnswers += 1;
        return;
      case 'failure':
        this.#failures.push(report.error);
    }
  }
}
