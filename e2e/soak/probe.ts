import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import type { EventEmitter } from 'node:events';

/**
 * Loaded into a service by `--import`, together with `--expose-gc`: tells on the port SOAK_PROBE_PORT what the
 * process holds after a garbage collection.
 */
export interface Held {
  /** Bytes of the JavaScript heap of the main thread, and of buffers outside of it. */
  readonly heap: number;
  readonly buffers: number;
  /** The same of its worker threads. */
  readonly workerHeap: number;
  readonly workerBuffers: number;
  /** Resident bytes of the whole process. */
  readonly resident: number;
  /** Sockets, servers, timers and the like. */
  readonly resources: number;
  /** Listeners on the process and on everything that is open. */
  readonly listeners: number;
}

/** Time for worker threads to answer. */
const WORKERS_MS = 500;

interface Internals {
  _getActiveHandles(): (Partial<EventEmitter> & object)[];
}

function listenersOf(emitter: Partial<EventEmitter>): number {
  const names = emitter.eventNames?.() ?? [];
  return names.reduce((sum, name) => sum + (emitter.listenerCount?.(name) ?? 0), 0);
}

/** Bytes of this thread's heap, and of buffers outside of it, after a garbage collection. */
async function heapOfThread(): Promise<{ heap: number; buffers: number }> {
  // Twice: what a finaliser lets go is collected the second time.
  for (let round = 0; round < 2; round += 1) await globalThis.gc?.({ execution: 'async' });
  const { heapUsed: heap, external: buffers } = process.memoryUsage();
  return { heap, buffers };
}

async function held(workers: BroadcastChannel): Promise<Held> {
  const answers: { heap: number; buffers: number }[] = [];
  const note = ({ data }: Event & { data?: unknown }): void =>
    void answers.push(data as (typeof answers)[number]);
  workers.addEventListener('message', note);
  workers.postMessage('tell');
  const own = await heapOfThread();
  await delay(WORKERS_MS);
  workers.removeEventListener('message', note);
  const handles = (process as unknown as Internals)._getActiveHandles();
  return {
    ...own,
    workerHeap: answers.reduce((sum, { heap }) => sum + heap, 0),
    workerBuffers: answers.reduce((sum, { buffers }) => sum + buffers, 0),
    resident: process.memoryUsage.rss(),
    resources: process.getActiveResourcesInfo().length,
    listeners: handles.reduce((sum, handle) => sum + listenersOf(handle), listenersOf(process)),
  };
}

const channel = new BroadcastChannel('soak-probe');
if (isMainThread) {
  const server = createServer((_request, response) => {
    void held(channel).then((answer) =>
      response.setHeader('connection', 'close').end(JSON.stringify(answer)),
    );
  });
  server.listen(Number(process.env['SOAK_PROBE_PORT']), '127.0.0.1').unref();
  channel.unref();
} else {
  channel.addEventListener('message', ({ data }: Event & { data?: unknown }) => {
    if (data === 'tell') void heapOfThread().then((answer) => channel.postMessage(answer));
  });
  channel.unref();
}
