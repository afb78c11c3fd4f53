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
/** Enough for the stack of a crash. */
const REASON_LINES = 20;

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
  /** What the program has said for the terminal while it starts: the reason, if it fails. */
  readonly #said: string[] = [];
  #supervision: Promise<void> | undefined;

  constructor(spec: ServiceSpec) {
    this.#spec = spec;
    this.#log = openLog(spec.logFile);
  }

  /**
   * Starts the service and waits until it is ready; from then on it is restarted whenever it ends.
   *
   * @throws ServiceStartError when it ends before that, with what it said last
   */
  async start(): Promise<void> {
    const child = this.#spawn();
    const ended = new AbortController();
    const exit = once(child, 'exit').then(() => ended.abort());
    if (!(await this.#becomesReady(ended.signal))) {
      if (ended.signal.aborted) {
        await exit;
        const said = this.#said.slice(-REASON_LINES).join('\n');
        throw new ServiceStartError(said || `${this.#spec.name} ended while starting (${reasonOf(child)})`);
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
    if (!this.#supervision) this.#said.push(line);
    else if (!this.#stopped.signal.aborted) report(line.startsWith(`${name}: `) ? line : `${name}: ${line}`);
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
