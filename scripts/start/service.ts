import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import type { WriteStream } from 'node:fs';

import { Backoff } from './backoff.ts';
import { ServiceStartError } from './errors.ts';
import { openLog, pipeLines } from './output.ts';

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;

/** How one service is run. */
export interface ServiceSpec {
  readonly name: string;
  /** Arguments of Node: the program and its own. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Answers 200 once the service can work. */
  readonly readyUrl: string;
  /** Shows one line to the person at the terminal. */
  readonly report: (line: string) => void;
}

/** A service as a child process: started once, then kept running until `stop`. */
export class Service {
  readonly #spec: ServiceSpec;
  readonly #log: WriteStream;
  readonly #backoff = new Backoff();
  readonly #stopped = new AbortController();
  #child: ChildProcess | undefined;
  #lastLine = '';
  #supervision: Promise<void> | undefined;

  constructor(spec: ServiceSpec) {
    this.#spec = spec;
    this.#log = openLog(spec.logFile);
  }

  /**
   * Starts the service and waits until it is ready; from then on it is restarted whenever it ends.
   *
   * @throws ServiceStartError when it ends before that, with the last line it wrote
   */
  async start(): Promise<void> {
    const child = this.#spawn();
    const ended = new AbortController();
    const exit = once(child, 'exit').then(() => ended.abort());
    if (!(await this.#becomesReady(ended.signal))) {
      if (ended.signal.aborted) {
        await exit;
        throw new ServiceStartError(this.#lastLine || `${this.#spec.name} ended while starting`);
      }
      throw new ServiceStartError(`${this.#spec.name} did not become ready; see ${this.#spec.logFile}`);
    }
    this.#supervision = this.#keepRunning(child);
  }

  /** Asks the service to end (SIGTERM), waits, and kills it after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped.abort();
    const child = this.#child;
    if (child && isRunning(child)) {
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => this.kill(), deadlineMs);
      await exit;
      clearTimeout(timer);
    }
    await this.#supervision;
    this.#log.end();
  }

  /** Ends the service at once. */
  kill(): void {
    this.#stopped.abort();
    this.#child?.kill('SIGKILL');
  }

  /** In a process group of its own, because Ctrl-C reaches a whole group and the order of stopping is ours. */
  #spawn(): ChildProcess {
    const { args, cwd, env } = this.#spec;
    const child = spawn(
      process.execPath,
      ['--import', new URL('parent-watch.ts', import.meta.url).href, ...args],
      {
        cwd,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) pipeLines(stream, this.#log, (line) => this.#show(line));
    }
    this.#child = child;
    return child;
  }

  #show(line: string): void {
    const { name, report } = this.#spec;
    this.#lastLine = line.startsWith(`${name}: `) ? line : `${name}: ${line}`;
    // Until the service runs, its last line is the reason of a failed start and is shown as that, once.
    if (this.#supervision && !this.#stopped.signal.aborted) report(this.#lastLine);
  }

  async #becomesReady(ended: AbortSignal): Promise<boolean> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!ended.aborted && !this.#stopped.signal.aborted && Date.now() < deadline) {
      const answer = await fetch(this.#spec.readyUrl, { signal: AbortSignal.timeout(2000) }).catch(
        () => undefined,
      );
      await answer?.body?.cancel();
      if (answer?.ok && !ended.aborted) return true;
      await delay(READY_POLL_MS);
    }
    return false;
  }

  async #keepRunning(first: ChildProcess): Promise<void> {
    let child = first;
    for (;;) {
      const started = Date.now();
      if (isRunning(child)) await once(child, 'exit');
      if (this.#stopped.signal.aborted) return;
      const wait = this.#backoff.after(Date.now() - started);
      this.#spec.report(
        `${this.#spec.name} ended (${reasonOf(child)}); starting it again in ${wait / 1000} s`,
      );
      await delay(wait, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
      child = this.#spawn();
    }
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function reasonOf(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${child.exitCode}`;
}
